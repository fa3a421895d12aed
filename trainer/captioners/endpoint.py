"""A sentence by a server with OpenAI's chat API: a local llama.cpp or ollama, or a service.

The key comes from the environment at each start; it is neither stored nor told, and is sent to the named address only.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from PIL import Image
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from lib_extension.spec.captioning import EndpointSettings
from lib_extension.spec.errors import BadRequest
from trainer.captioners.described import Described
from trainer.data.pictures import colours

_LONGEST_WAIT = 60.0  # seconds between two tries, also where the server asks for more
_FIRST_WAIT = 1.0
_SHOWN = 200  # characters of what a server said
_BUSY = (408, 409, 425, 429, 500, 502, 503, 504)
_REFUSED = (401, 403, 404)  # true of every picture: nothing is gained by asking on


class _Busy(Exception):
    """The server may do it later; `after` are the seconds that it asked for."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.after = after


class EndpointCaptioner:
    """Several pictures are asked for at once where the settings say so."""

    def __init__(self, settings: EndpointSettings) -> None:
        self._settings = settings
        key = os.environ.get(settings.key_from, "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(headers=headers, timeout=httpx.Timeout(settings.timeout, connect=10.0))

    def describe(self, pictures: Sequence[Image.Image]) -> list[Described]:
        """A picture that the server does not answer for has a problem. Raises BadRequest where it refuses everything."""
        with ThreadPoolExecutor(self._settings.at_once) as pool:
            return list(pool.map(self._one, pictures))

    def _one(self, picture: Image.Image) -> Described:
        body = self._body(picture)
        tries = Retrying(stop=stop_after_attempt(self._settings.tries), wait=_wait, retry=retry_if_exception_type(_Busy), reraise=True)
        try:
            return Described(sentence=tries(self._ask, body))
        except _Busy as problem:
            return Described(problem=f"{problem} ({self._settings.tries} tries)")
        except _Unusable as problem:
            return Described(problem=str(problem))

    def _ask(self, body: dict[str, Any]) -> str:
        url = f"{self._settings.url.rstrip('/')}/chat/completions"
        try:
            answer = self._client.post(url, json=body)
        except httpx.TimeoutException as problem:
            raise _Busy(f"The captioning server did not answer within {self._settings.timeout:g} seconds.") from problem
        except httpx.HTTPError as problem:
            raise _Busy(f"The captioning server at {self._settings.url} cannot be reached: {problem}.") from problem
        if answer.status_code in _BUSY:
            raise _Busy(f"The captioning server answered {answer.status_code}: {_said(answer)}", _asked_to_wait(answer))
        if answer.status_code in _REFUSED:
            raise BadRequest(
                f"The captioning server answered {answer.status_code}: {_said(answer)} Look at url, model, and {self._settings.key_from}."
            )
        if answer.status_code != 200:
            raise _Unusable(f"The captioning server answered {answer.status_code}: {_said(answer)}")
        return _sentence(answer)

    def _body(self, picture: Image.Image) -> dict[str, Any]:
        shown = colours(picture)
        shown.thumbnail((self._settings.side, self._settings.side))
        data = io.BytesIO()
        shown.save(data, "JPEG", quality=92)
        url = f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"
        content = [{"type": "text", "text": self._settings.prompt}, {"type": "image_url", "image_url": {"url": url}}]
        return {
            "model": self._settings.model,
            "max_tokens": self._settings.longest,
            "temperature": 0,
            "messages": [{"role": "user", "content": content}],
        }


class _Unusable(Exception):
    """An answer that says nothing of this picture."""


def _wait(state: RetryCallState) -> float:
    """What the server asks for, else longer each time."""
    problem = state.outcome.exception() if state.outcome else None
    asked = problem.after if isinstance(problem, _Busy) else 0.0
    return min(_LONGEST_WAIT, asked or wait_exponential_jitter(multiplier=_FIRST_WAIT, max=_LONGEST_WAIT)(state))


def _asked_to_wait(answer: httpx.Response) -> float:
    try:
        return max(0.0, float(answer.headers.get("retry-after", 0)))
    except ValueError:  # a date
        return 0.0


def _said(answer: httpx.Response) -> str:
    """The server's own message, without what might be a page."""
    try:
        error = answer.json()["error"]
        text = error["message"] if isinstance(error, dict) else error
    except (ValueError, KeyError, TypeError):
        text = answer.text
    return " ".join(str(text).split())[:_SHOWN]


def _sentence(answer: httpx.Response) -> str:
    try:
        text = answer.json()["choices"][0]["message"]["content"]
    except (ValueError, KeyError, TypeError, IndexError) as problem:
        raise _Unusable(f"The captioning server's answer is none of OpenAI's chat API: {_said(answer)}") from problem
    if not isinstance(text, str) or not text.strip():
        raise _Unusable("The captioning server answered with no words.")
    return " ".join(text.split())
