"""What did the client send? JSON without the tricks: no NaN, no infinity, no broken text; fields that nobody knows are reported."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.routing import APIRoute

from lib_extension.spec.controlnet import read_units
from lib_extension.spec.errors import BadRequest

UNKNOWN_FIELDS_HEADER = "X-Atelier-Unknown-Fields"
MOST_NAMED = 20
LONGEST_NAME = 60

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class EngineRequest(Request):
    """Reads its body as strictly as JSON is defined; Python's own reader also takes NaN and Infinity."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            body = await self.body()
            self.sent = read_json(body)
            self._json = without_nulls(self.sent)
        return self._json


class EngineRoute(APIRoute):
    """A route that reads bodies with `EngineRequest` and names unknown fields in a response header, as the WebUI silently ignores them."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        known = _body_fields(self)

        async def answer_and_report(request: Request) -> Response:
            read = EngineRequest(request.scope, request.receive)
            response = await answer(read)
            sent = getattr(read, "sent", None)
            if known and isinstance(sent, Mapping):
                _report(response, unknown_fields(sent, known))
            return response

        return answer_and_report


def read_json(body: bytes) -> Any:
    """The body's value. Raises json.JSONDecodeError, which the server answers with 422 and the position."""
    value = json.loads(body, parse_constant=_refuse_constant, parse_float=_finite)
    if _ESCAPED_SURROGATE.search(body):
        _refuse_broken_text(value)
    return value


def without_nulls(value: Any) -> Any:
    """A field that is null counts as not sent, as in the WebUI."""
    if isinstance(value, dict):
        return {name: field for name, field in value.items() if field is not None}
    return value


def refuse_nonfinite(body: Any) -> None:
    """Numbers may come as texts ("nan"), and only the types of the body's fields tell them from other texts."""
    for field in fields(body):
        value = getattr(body, field.name)
        if isinstance(value, float) and not math.isfinite(value):
            raise BadRequest(f"{field.name} is {value}. It must be a finite number.")


def unknown_fields(sent: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    """Names in the body, and in its ControlNet units, that mean nothing here."""
    known = set(known)
    names = [name for name in sent if name not in known]
    scripts = sent.get("alwayson_scripts")
    if "alwayson_scripts" in known and isinstance(scripts, Mapping):
        try:
            names += [f"alwayson_scripts.controlnet.{name}" for name in read_units(scripts).unknown]
        except BadRequest:  # Lenient answered although a unit was wrong.
            pass
    return names


def _body_fields(route: APIRoute) -> frozenset[str]:
    body = route.body_field
    kind = getattr(getattr(body, "field_info", None), "annotation", None)
    return frozenset(f.name for f in fields(kind)) if is_dataclass(kind) else frozenset()


def _report(response: Response, names: list[str]) -> None:
    if not names:
        return
    shown = [quote(name[:LONGEST_NAME], safe="._-") or "(empty)" for name in names[:MOST_NAMED]]
    more = [f"and-{len(names) - MOST_NAMED}-more"] if len(names) > MOST_NAMED else []
    response.headers[UNKNOWN_FIELDS_HEADER] = ", ".join(shown + more)


def _refuse_constant(name: str) -> float:
    raise json.JSONDecodeError(f"{name} is no JSON number", "", 0)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise json.JSONDecodeError("A number is too large", "", 0)
    return number


def _refuse_broken_text(value: Any) -> None:
    """Half of a surrogate pair is no character; it could neither be written into a PNG nor sent back."""
    if isinstance(value, str):
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise json.JSONDecodeError("A text holds half of a surrogate pair", "", 0)
    elif isinstance(value, dict):
        for name, field in value.items():
            _refuse_broken_text(name)
            _refuse_broken_text(field)
    elif isinstance(value, list):
        for item in value:
            _refuse_broken_text(item)
