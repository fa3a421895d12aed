"""Who may ask, and how much at once? Checked before a body is read: its size, the address it was sent to, and the credentials."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lib_extension.engine.answers import body_of, refused
from lib_extension.spec.errors import AtelierError, BadRequest, TooLarge

LARGEST_BODY = 128 * 2**20
DRAINED = 2**30
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

OPEN_IN_WEBUI = ("/sdapi/v1/loras", "/sdapi/v1/refresh-loras")


@dataclass(frozen=True)
class Rules:
    """`credentials` are "user:password" texts; none means that nobody is asked. `lenient` asks only where the WebUI does."""

    credentials: tuple[str, ...] = ()
    lenient: bool = False
    loopback_only: bool = True


class Guard:
    """ASGI middleware. A refused call never reaches a route."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app = app
        self.rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            check_origin(self.rules, Headers(scope=scope))
            check_credentials(self.rules, scope["path"], Headers(scope=scope))
            whole = await _read(receive, Headers(scope=scope))
        except AtelierError as error:
            await _answer(error, send)
            return
        await self.app(scope, _Replay(whole, receive), send)


def check_origin(rules: Rules, headers: Headers) -> None:
    """A web page that somebody has open must not drive the engine on their machine, by its own origin or by a rebound name."""
    host = _host_name(headers.get("host", ""))
    if rules.loopback_only and host and host not in LOOPBACK:
        raise refused(403, "The engine answers at this machine's own address only: use http://127.0.0.1.")
    origin = headers.get("origin")
    if origin and _host_name(origin.partition("://")[2]) not in {host, *LOOPBACK}:
        raise refused(403, "The engine answers no pages of other web sites.")


def check_credentials(rules: Rules, path: str, headers: Headers) -> None:
    """HTTP Basic, refused in the WebUI's words."""
    if not rules.credentials or not _asks(rules, path):
        return
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic" or not encoded:
        raise refused(401, "Not authenticated")
    try:
        sent = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise refused(401, "Invalid authentication credentials") from None
    matches = [secrets.compare_digest(sent, known.encode()) for known in rules.credentials]
    if not any(matches):
        raise refused(401, "Incorrect username or password")


def _asks(rules: Rules, path: str) -> bool:
    if rules.lenient:
        return path.startswith("/sdapi/") and path not in OPEN_IN_WEBUI
    return path != "/internal/ping"


def _host_name(authority: str) -> str:
    authority = authority.partition("/")[0].lower()
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


async def _read(receive: Receive, headers: Headers) -> bytes:
    """The body. One that is too large is read to its end, so that the client gets to read the answer, but not kept."""
    if not headers.get("content-length", "0").isdecimal():
        raise BadRequest("The Content-Length header is no number.")
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        part = message.get("body", b"")
        size += len(part)
        if size <= LARGEST_BODY:
            parts.append(part)
        else:
            parts.clear()
        if size > DRAINED or not message.get("more_body", False):
            break
    if size > LARGEST_BODY:
        raise TooLarge(f"The request is larger than {LARGEST_BODY // 2**20} MB. Send fewer or smaller pictures.")
    return b"".join(parts)


class _Replay:
    """Hands the body that was read to the route, then whatever the connection says next."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self.body: bytes | None = body
        self.receive = receive

    async def __call__(self) -> Message:
        if self.body is None:
            return await self.receive()
        body, self.body = self.body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _answer(error: AtelierError, send: Send) -> None:
    body = json.dumps(body_of(error)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
