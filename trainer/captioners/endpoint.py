"""A sentence by a server with OpenAI's chat API: a local llama.cpp or ollama, or a service.

The key comes from the environment at each start; it is neither stored nor told, and is sent to the named address only.
"""

from __future__ import annotations

import asyncio
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
    """The server may do it later; `after` are the seconds that it asked for. `is_away`: there is none that could have said so."""

    def __init__(self, why: str, after: float = 0.0, is_away: bool = False) -> None:
        super().__init__(why)
        self.after, self.is_away = after, is_away


class EndpointCaptioner:
    """Several pictures are asked for at once where the settings say so."""

    def __init__(self, settings: EndpointSettings) -> None:
        self._settings = settings
        self._key = _key(settings.key_from)
        self._trust = httpx.create_ssl_context()
        self._end: BadRequest | None = None

    def describe(self, pictures: Sequence[Image.Image]) -> list[Described]:
        """A picture that the server does not answer for has a problem. One that refuses everything, or is away, is not asked any more."""
        with ThreadPoolExecutor(self._settings.at_once) as pool:
            return list(pool.map(self._one, pictures))

    def _one(self, picture: Image.Image) -> Described:
        if self._end is None:
            body = self._body(picture)
            tries = Retrying(stop=stop_after_attempt(self._settings.tries), wait=_wait, retry=retry_if_exception_type(_Busy), reraise=True)
            try:
                return Described(sentence=tries(self._ask, body))
            except _Busy as problem:
                told = self._without_key(f"{problem} ({self._settings.tries} tries)")
                if not problem.is_away:
                    return Described(problem=told)
                self._end = BadRequest(f"{told} Start it, or look at url.")
            except _Unusable as problem:
                return Described(problem=self._without_key(str(problem)))
            except BadRequest as problem:
                self._end = BadRequest(self._without_key(str(problem)))
        return Described(problem=str(self._end), end=self._end)

    def _ask(self, body: dict[str, Any]) -> str:
        try:
            answer = asyncio.run(self._answer(body))
        except (httpx.TimeoutException, asyncio.TimeoutError) as problem:
            is_away = isinstance(problem, httpx.ConnectTimeout)
            raise _Busy(f"The captioning server did not answer within {self._settings.timeout:g} seconds.", is_away=is_away) from problem
        except httpx.InvalidURL as problem:
            raise BadRequest(f'url is "{self._settings.url}": {problem}.') from problem
        except httpx.HTTPError as problem:
            is_away = isinstance(problem, httpx.ConnectError)
            raise _Busy(f"The captioning server at {self._settings.url} cannot be reached: {problem}.", is_away=is_away) from problem
        if answer.status_code in _BUSY:
            raise _Busy(f"The captioning server answered {answer.status_code}: {self._said(answer)}", _asked_to_wait(answer))
        if answer.status_code in _REFUSED:
            look = f"Look at url, model, and {self._settings.key_from}."
            raise BadRequest(f"The captioning server answered {answer.status_code}: {self._said(answer)} {look}")
        if answer.status_code != 200:
            raise _Unusable(f"The captioning server answered {answer.status_code}: {self._said(answer)}")
        return self._sentence(answer)

    async def _answer(self, body: dict[str, Any]) -> httpx.Response:
        """The whole answer in time: a client's own limit is for each piece, and a server may send its answer in small ones for ever."""
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        seconds = self._settings.timeout
        async with httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(seconds, connect=10.0), verify=self._trust) as client:
            return await asyncio.wait_for(client.post(f"{self._settings.url.rstrip('/')}/chat/completions", json=body), seconds)

    def _sentence(self, answer: httpx.Response) -> str:
        try:
            text = answer.json()["choices"][0]["message"]["content"]
        except (ValueError, KeyError, TypeError, IndexError) as problem:
            raise _Unusable(f"The captioning server's answer is none of OpenAI's chat API: {self._said(answer)}") from problem
        if not isinstance(text, str) or not text.strip():
            raise _Unusable("The captioning server answered with no words.")
        return " ".join(text.split())

    def _said(self, answer: httpx.Response) -> str:
        """The server's own message, without what might be a page."""
        try:
            error = answer.json()["error"]
            text = error["message"] if isinstance(error, dict) else error
        except (ValueError, KeyError, TypeError):
            text = answer.text
        return self._without_key(" ".join(str(text).split()))[:_SHOWN]

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "(the key)") if self._key else text

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


def _key(name: str) -> str:
    """As the environment holds it, without the space or line's end that came along; "" where there is none. BadRequest for what is none."""
    key = os.environ.get(name, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise BadRequest(f"{name} in the environment holds more than a key: a key is one line of plain letters and digits.")
    return key


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
