"""What does a user's word for a backend mean? "engine:demo", "http://host:7860" or "webui"."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from lib_extension.backend.backend import Backend
from lib_extension.backend.connection import Auth, Connect, to_engine, to_url
from lib_extension.backend.fingerprint import engine_fingerprint
from lib_extension.spec.errors import BadRequest

ENGINE, WEBUI = "engine", "webui"


def parse_backend(text: str, auth: Auth | None = None, webui: Connect | None = None) -> Backend:
    """The backend that `text` names; nothing is started or asked yet. Raises BadRequest.

    engine or engine:MODEL is an embedded engine of our own; an address may hold USER:PASSWORD@, or they come as `auth`; webui is the
    process that this runs in, reached through `webui`.
    """
    kind, _, rest = text.strip().partition(":")
    if kind == ENGINE:
        model = rest or "demo"
        return Backend(f"{ENGINE}:{model}", to_engine(model), lambda: engine_fingerprint(model))
    if kind == WEBUI and not rest:
        if webui is None:
            raise BadRequest('The backend "webui" is the WebUI\'s own process, and this runs in none. Give its address instead.')
        return Backend(WEBUI, webui)
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadRequest(f'"{_shown(text)}" is no backend. Use engine:demo, an address such as http://127.0.0.1:7860, or webui.')
    if parts.username:
        auth = auth or (unquote(parts.username), unquote(parts.password or ""))
    url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
    return Backend(url, to_url(url, auth))


def _shown(text: str) -> str:
    """Without a password, whatever else it is."""
    return text.rpartition("@")[2]
