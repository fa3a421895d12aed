"""Who may ask? Whoever has the host's name and password, or is logged in on its page; where it asks for neither, this machine only.

Never a page of another site.

A proxy's word for where a request comes from is never believed: anybody can write such a header. A request that carries one has passed
through a proxy, so that its address says nothing, and counts as coming from elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request

from lib_extension.spec.errors import AtelierError

Login = Callable[[Request], bool]

_FORWARDED = ("x-forwarded-for", "x-real-ip", "forwarded", "x-forwarded-host", "cf-connecting-ip")
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Atelier"'}


class Refused(AtelierError):
    """Not for this client, or not from this page."""

    status = 403


class Unknown(AtelierError):
    """Nobody said who asks, or the password is wrong."""

    status = 401
    headers: Mapping[str, str] = _CHALLENGE


class LoggedOut(AtelierError):
    """Not logged in on the host's page. No challenge: a browser would ask for a password that there is not."""

    status = 401


@dataclass(frozen=True)
class Guard:
    """`credentials`: "user:password" texts, each of which opens. `login`: whether the host's page knows who asks, where it asks.

    Neither: only clients on this machine are served.
    """

    credentials: tuple[str, ...] = ()
    login: Login | None = None

    def check(self, request: Request) -> None:
        """Raises Refused or Unknown. Nothing of the body was read before."""
        _check_page(request)
        if self.login is not None and self.login(request):
            return
        if self.credentials:
            _check_credentials(self.credentials, request.headers.get("authorization", ""))
        elif self.login is not None:
            raise LoggedOut("You are not logged in, or not any more. Load the page anew and log in.")
        else:
            _check_is_here(request)


def _check_page(request: Request) -> None:
    """A page of another site, open in somebody's browser, must not act in their name: it would have their password or their address."""
    if request.headers.get("sec-fetch-site") == "same-origin":
        return  # the browser's own word, which no page can change; a proxy may have given the host another name
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() != request.headers.get("host", "").lower():
        raise Refused("Pages of other web sites are not answered.")
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise Refused("Pages of other web sites are not answered.")


def _check_is_here(request: Request) -> None:
    forwarded = any(name in request.headers for name in _FORWARDED)
    if forwarded or request.client is None or not _is_loopback(request.client.host):
        raise Refused("Only this machine itself is served while no name and password are set. Set them where the server is started.")
    # The name of a foreign site can be made to lead here; the browser still says it as the host that it asks.
    host = _host_name(request.headers.get("host", ""))
    if host != "localhost" and not _is_loopback(host):
        raise Refused("Without a name and password, answers are given at this machine's own address only: use http://127.0.0.1.")


def _check_credentials(known: tuple[str, ...], sent: str) -> None:
    scheme, _, encoded = sent.partition(" ")
    if scheme.lower() != "basic" or not encoded:
        raise Unknown("A name and a password are needed: those of the server's --api-auth.")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise Unknown("The Authorization header is not Basic authentication.") from None
    matches = [secrets.compare_digest(pair, one.encode()) for one in known]  # all of them, so that time tells nothing
    if not any(matches):
        raise Unknown("The name or the password is wrong.")


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _host_name(authority: str) -> str:
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0].lower()
