"""How is one request sent, and its answer read? JSON both ways; every way of failing becomes a BackendError."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx

from lib_extension.backend.errors import BackendError, Failed, Missing, Refused, Unreachable, WasInterrupted, WrongAnswer
from lib_extension.spec.errors import BadRequest

CONNECT_SECONDS = 10
GENERATION_SECONDS = 1800
ROUTE_SECONDS = 8  # routes of extensions go live some seconds after a WebUI begins to answer
FIRST_WAIT = 0.25  # doubled from try to try


class NoRoute(Refused):
    """The server has no such route, or not yet."""


class Wire:
    """One server, reached through the transport that is handed in. May be used by several threads at once."""

    def __init__(
        self,
        url: str,
        transport: httpx.BaseTransport,
        auth: tuple[str, str] | None = None,
        timeout: float = GENERATION_SECONDS,
        name: str = "",
    ) -> None:
        """`timeout` is in seconds, for one answer. Messages call the server by `name`, or by its address."""
        self.name = name or url
        self._http = httpx.Client(base_url=url, transport=transport, auth=auth, timeout=httpx.Timeout(timeout, connect=CONNECT_SECONDS))

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def get(self, path: str, *, patience: float = 0, timeout: float | None = None) -> Any:
        """The JSON at `path`, within `timeout` seconds. A route that is not there is asked for again for `patience` seconds.

        Raises NoRoute when it is not there then, and other BackendErrors.
        """
        return self._patiently("GET", path, None, patience, timeout)

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, timeout: float | None = None) -> Any:
        """As get, sending `body` as JSON."""
        return self._patiently("POST", path, {} if body is None else body, 0, timeout)

    def _patiently(self, method: str, path: str, body: Mapping[str, Any] | None, patience: float, timeout: float | None) -> Any:
        deadline, wait = time.monotonic() + patience, FIRST_WAIT
        while True:
            try:
                return self._once(method, path, body, timeout)
            except NoRoute:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise
                time.sleep(min(wait, left))
                wait *= 2

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None, timeout: float | None) -> Any:
        content = None if body is None else _encoded(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            response = self._http.request(method, path, content=content, headers=headers, timeout=timeout or self._http.timeout)
        except httpx.TimeoutException as error:
            raise Unreachable(f"{self.name} did not answer in time.") from error
        except (httpx.HTTPError, RuntimeError) as error:  # a RuntimeError where another thread closed the client meanwhile
            raise Unreachable(f"{self.name} does not answer: is it running there, with --api?") from error
        if response.is_error:
            raise self._refusal(response, path)
        try:
            return response.json()
        except ValueError as error:
            raise WrongAnswer(f"{self.name} answered {path} with something that is not JSON: is it a WebUI?") from error

    def _refusal(self, response: httpx.Response, path: str) -> BackendError:
        answer = _json(response)
        said = _said(answer) or f"status {response.status_code}"
        if response.status_code == 404 and said == "Not Found":
            return NoRoute(f"{self.name} has no {path}: is it a WebUI started with --api?")
        if response.status_code == 404 and isinstance(answer, dict) and answer.get("error") == "NotFound":  # the engine's word for it
            return Missing(f"{self.name}: {said}")
        if response.status_code in (401, 403):
            return Refused(f"{self.name} asks for a name and a password ({said}): give the pair of its --api-auth.")
        if response.status_code == 409:  # the engine's word for it; a WebUI answers 200
            return WasInterrupted(f"Somebody interrupted the call at {self.name}. Run it again.")
        kind = Failed if response.status_code >= 500 else Refused
        return kind(f"{self.name} refused: {said}", answer)


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise BadRequest(
            f"What is to be sent cannot be written as JSON ({error}). Look for NaN, dates or bytes among its settings."
        ) from error


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _said(answer: Any) -> str:
    """What the server said about its refusal, as short as it can be."""
    if not isinstance(answer, dict):
        return ""
    said = answer.get("errors") or answer.get("message") or answer.get("detail") or answer.get("error")  # A1111, Forge, FastAPI
    if isinstance(said, list):  # FastAPI's list of fields
        said = "; ".join(f"{'.'.join(map(str, item.get('loc', [])[1:]))}: {item.get('msg')}" for item in said if isinstance(item, dict))
    return str(said or "")
