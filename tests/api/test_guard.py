from __future__ import annotations

import base64

import pytest
from starlette.requests import Request

from lib_extension.api.guard import Guard, LoggedOut, Refused, Unknown

HERE, ELSEWHERE = "127.0.0.1", "192.168.1.5"
OPEN, LOCKED = Guard(), Guard(("me:geheim", "you:ä:b"))


def asked(client: str = HERE, **headers: str) -> Request:
    """A request from a client's address; header names with _ for -."""
    sent = {"host": "127.0.0.1:7860"} | {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {"type": "http", "headers": [(name.encode(), value.encode()) for name, value in sent.items()], "client": (client, 5)}
    return Request(scope)


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "localhost", "[::1]:7860"])
def test_without_credentials_this_machine_is_served(client: str, host: str):
    OPEN.check(asked(client, host=host))
    OPEN.check(asked(client, host=host, origin=f"http://{host}", sec_fetch_site="same-origin"))


@pytest.mark.parametrize("client", [ELSEWHERE, "::ffff:192.168.1.5", "testclient", "", "0.0.0.0", "127.0.0.1.evil.example"])
@pytest.mark.parametrize(
    "headers", [{}, {"x_forwarded_for": "127.0.0.1"}, {"forwarded": "for=127.0.0.1"}, {"authorization": basic("me:geheim")}]
)
def test_without_credentials_nobody_else_is_served_whatever_they_say(client: str, headers: dict[str, str]):
    with pytest.raises(Refused):
        OPEN.check(asked(client, **headers))


@pytest.mark.parametrize("header", ["x_forwarded_for", "x_real_ip", "forwarded", "x_forwarded_host"])
def test_what_came_through_a_proxy_on_this_machine_is_from_elsewhere(header: str):
    with pytest.raises(Refused):
        OPEN.check(asked(HERE, **{header: "127.0.0.1"}))


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:7860", "192.168.1.5", "", "localhost.evil.example", "[::2]"])
def test_a_name_that_was_made_to_lead_here_is_refused(host: str):
    with pytest.raises(Refused):
        OPEN.check(asked(HERE, host=host))
    with pytest.raises(Refused):
        OPEN.check(asked(HERE, host=host, origin=f"http://{host}"))


@pytest.mark.parametrize("guard", [OPEN, LOCKED])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "http://127.0.0.1:7860.evil.example"},
        {"sec_fetch_site": "cross-site"},
    ],
)
def test_pages_of_other_sites_are_refused_even_with_a_password(guard: Guard, headers: dict[str, str]):
    with pytest.raises(Refused, match="other web sites"):
        guard.check(asked(HERE, authorization=basic("me:geheim"), **headers))


@pytest.mark.parametrize("pair", ["me:geheim", "you:ä:b"])
def test_with_credentials_whoever_has_them_is_served_from_anywhere(pair: str):
    LOCKED.check(asked(ELSEWHERE, host="studio.example", authorization=basic(pair), x_forwarded_for="1.2.3.4"))


@pytest.mark.parametrize(
    "sent", ["", "Basic", "Basic ", "Basic !", "Bearer x", basic("me:falsch"), basic("me:"), basic(""), basic("geheim")]
)
def test_with_credentials_even_this_machine_must_have_them(sent: str):
    with pytest.raises(Unknown):
        LOCKED.check(asked(HERE, authorization=sent))


def who_is_logged_in(request: Request) -> bool:
    return request.cookies.get("access-token") == "good"


LOGIN, EITHER = Guard((), who_is_logged_in), Guard(("me:geheim",), who_is_logged_in)


@pytest.mark.parametrize("guard", [LOGIN, EITHER])
@pytest.mark.parametrize("client", [HERE, ELSEWHERE])
def test_who_is_logged_in_on_the_hosts_page_is_served(guard: Guard, client: str):
    guard.check(asked(client, host="any.example", cookie="access-token=good"))


@pytest.mark.parametrize("cookie", ["access-token=bad", "access-token=", "other=good"])
def test_where_the_page_asks_for_a_login_nobody_else_is_served_on_this_machine_either(cookie: str):
    with pytest.raises(LoggedOut) as told:
        LOGIN.check(asked(HERE, cookie=cookie))
    assert not hasattr(told.value, "headers")  # a browser would ask for a password
    with pytest.raises(Unknown):
        EITHER.check(asked(HERE, cookie=cookie))
    EITHER.check(asked(ELSEWHERE, authorization=basic("me:geheim")))


def test_a_page_of_another_site_cannot_use_the_login():
    with pytest.raises(Refused):
        LOGIN.check(asked(HERE, cookie="access-token=good", origin="https://evil.example"))
    with pytest.raises(Refused):
        LOGIN.check(asked(HERE, cookie="access-token=good", sec_fetch_site="cross-site"))


def test_behind_a_proxy_that_renames_the_host_the_browser_says_that_the_page_is_ours():
    LOGIN.check(asked(HERE, cookie="access-token=good", origin="https://studio.example", sec_fetch_site="same-origin"))
