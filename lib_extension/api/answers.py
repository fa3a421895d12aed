"""How is a request answered? Guarded before it is read, its body read strictly, and every error as {"error", "detail"} without a trace."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from lib_extension.api.guard import Guard
from lib_extension.spec.errors import AtelierError, BadRequest, TooLarge

LARGEST_BODY = 256 * 2**20  # bytes: some pictures in base64

_LONGEST_LENGTH = 15  # digits
DEEPEST = 40  # of objects in objects
_EXAMPLE = 'Send an object such as {"name": "value"}.'
_TOO_DEEP = f"The body is nested too deeply; {DEEPEST} levels is the most."
_log = logging.getLogger("atelier")
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def guarded_route(guard: Guard) -> type[APIRoute]:
    """The class of our routes. It keeps what a host does with errors of its own routes away from ours."""

    class GuardedRoute(APIRoute):
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            """HEAD is GET without the body, of every route."""
            return super().matches({**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope)

        async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
            methods = self.methods or ()
            if scope["method"] == "HEAD" and "GET" in methods:
                await self.app(scope, receive, send)
            elif scope["method"] not in methods:  # which each framework would tell in its own form
                allowed = {"Allow": ", ".join(sorted(methods))}
                await _told(405, "BadRequest", "There is a route, but not by this method.", allowed)(scope, receive, send)
            else:
                await super().handle(scope, receive, send)

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            answer = super().get_route_handler()

            async def answer_or_say_why(request: Request) -> Response:
                try:
                    guard.check(request)
                    answered = await answer(request)
                    return _head_of(answered) if request.method == "HEAD" else answered
                except asyncio.CancelledError:  # the server ends, and does not wait for what waits for a backend
                    return _told(503, "Unreachable", "Atelier is being ended.")
                except Exception as error:  # the top: whatever it was, the client gets JSON
                    return error_answer(error)

            return answer_or_say_why

    return GuardedRoute


def error_answer(error: Exception) -> Response:
    """The answer that tells of an error: ours in its own words, the framework's in plain ones, and of others only that there was one."""
    if isinstance(error, AtelierError):
        return _told(error.status, type(error).__name__, str(error), getattr(error, "headers", None))
    if isinstance(error, RequestValidationError):
        return _told(422, "BadRequest", "The request has not the form that /openapi.json says.")
    if isinstance(error, HTTPException):
        return _told(error.status_code, "BadRequest" if error.status_code < 500 else "InternalError", str(error.detail), error.headers)
    if isinstance(error, ClientDisconnect):
        return _told(400, "BadRequest", "The client left before its request was read.")
    _log.error("A request failed", exc_info=error)
    return _told(500, "InternalError", "Atelier failed at this request; the server's log says where. Please report it.")


def _head_of(answer: Response) -> Response:
    """The answer without its body, which a stream would never come to the end of."""
    head = Response(status_code=answer.status_code)
    head.raw_headers = answer.raw_headers
    return head


async def read_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object; an empty body is an empty object. BadRequest and TooLarge say what is wrong with it."""
    body = await read_body(request)
    if not body.strip():
        return {}
    value = parse_json(body)
    if not isinstance(value, dict):
        raise BadRequest(f"The body must be a JSON object. {_EXAMPLE}")
    return value


async def read_body(request: Request, most: int = LARGEST_BODY) -> bytes:
    """The body, as long as it is no longer than `most` bytes."""
    parts: list[bytes] = []
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and (len(told) > _LONGEST_LENGTH or int(told) > most):
        raise _too_large(most)  # before any of it is waited for
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise _too_large(most)
        parts.append(part)
    return b"".join(parts)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"The request is larger than {most // 2**20} MB. Send fewer or smaller pictures, or upload them one by one.")


def parse_json(body: bytes) -> Any:
    """The value, read as strictly as JSON is defined: no NaN, no infinity, no half characters."""
    try:
        value = json.loads(body, parse_constant=_refuse, parse_float=_finite)
        if _ESCAPED_SURROGATE.search(body):
            json.dumps(value, ensure_ascii=False).encode()
        _refuse_depth(value)
    except RecursionError:
        raise BadRequest(_TOO_DEEP) from None
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "it holds broken text or numbers"
        raise BadRequest(f"The body is not JSON: {reason.rstrip('.')}. {_EXAMPLE}") from error
    return value


def _refuse_depth(value: Any) -> None:
    """What is nested as deeply as Python can just about read could not be written or hashed any more."""
    level = [value]
    for _ in range(DEEPEST):
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list))]
        level = [value for values in inner for value in values]
        if not level:
            return
    raise BadRequest(_TOO_DEEP)


def _refuse(name: str) -> float:
    raise json.JSONDecodeError(f"{name} is no JSON number", "", 0)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise json.JSONDecodeError("a number is too large", "", 0)
    return number


def _told(status: int, error: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": error, "detail": detail.encode("utf-8", "replace").decode()}, status, dict(headers or {}))
