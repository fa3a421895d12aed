"""Does the captioner of OpenAI's API speak its wire format, and bear a server that fails, stalls and talks nonsense?"""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image

from lib_extension.spec.captioning import CaptionerSettings
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import read_value
from trainer.captioners import endpoint, open_captioner

Answer = tuple[int, bytes, dict[str, str]]
PICTURE = Image.new("RGBA", (2000, 1000), (200, 30, 30, 255))


def said(text: object) -> Answer:
    return 200, json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode(), {}


@dataclass
class Server:
    """What it was asked, and what it answers, in turn; the last answer stays."""

    url: str = ""
    answers: list[Answer | Callable[[], Answer]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    pause: float = 0.0  # seconds after each byte of an answer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    told = Server()
    monkeypatch.setattr(endpoint, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(endpoint, "_LONGEST_WAIT", 0.05)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.asked.append((self.path, dict(self.headers), body))
            answer = told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
            status, content, headers = answer() if callable(answer) else answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if not told.pause:
                self.wfile.write(content)
                return
            try:
                for place in range(len(content)):
                    self.wfile.write(content[place : place + 1])
                    time.sleep(told.pause)
            except OSError:  # whoever asked is gone
                pass

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        told.url = f"http://127.0.0.1:{http.server_port}/v1"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield told
        http.shutdown()
        thread.join()


def describe(server: Server, *pictures: Image.Image, **more: object):
    settings = read_value(CaptionerSettings, {"kind": "endpoint", "url": server.url, "model": "see", "tries": 3, **more})
    return open_captioner(settings, "cpu").describe(pictures or [PICTURE])


def test_it_speaks_openais_format(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret")
    server.answers = [said("  a red\n rectangle. ")]
    (found,) = describe(server, prompt="What is it?", key_from="MY_KEY", side=500, longest=77)
    assert found.sentence == "a red rectangle."
    ((path, headers, body),) = server.asked
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer sk-secret"
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("see", 77, 0)
    text, picture = body["messages"][0]["content"]
    assert text == {"type": "text", "text": "What is it?"}
    start, _, data = picture["image_url"]["url"].partition(",")
    assert (picture["type"], start) == ("image_url", "data:image/jpeg;base64")
    with Image.open(io.BytesIO(base64.b64decode(data))) as sent:
        assert (sent.format, sent.size) == ("JPEG", (500, 250))


def test_without_a_key_none_is_sent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    server.answers = [said("x")]
    describe(server)
    assert "Authorization" not in server.asked[0][1]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(server: Server, status: int) -> None:
    server.answers = [(status, b'{"error": {"message": "later"}}', {"Retry-After": "0.01"}), (status, b"", {}), said("at last")]
    assert describe(server)[0].sentence == "at last"
    assert len(server.asked) == 3


def test_one_that_stays_busy_is_a_problem_of_that_picture(server: Server) -> None:
    server.answers = [(503, b'{"error": "the queue is full"}', {})]
    (found,) = describe(server)
    assert found.problem == "The captioning server answered 503: the queue is full (3 tries)"


def test_one_that_stalls(server: Server) -> None:
    def stalls() -> Answer:
        time.sleep(1.3)
        return said("too late")

    server.answers = [stalls]
    (found,) = describe(server, timeout=1, tries=1)
    assert found.problem == "The captioning server did not answer within 1 seconds. (1 tries)"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>", "is none of OpenAI's chat API: <html>"),
        (b"{}", "is none of OpenAI's chat API"),
        (b'{"choices": []}', "is none of OpenAI's chat API"),
        (b'{"choices": [{"message": {"content": null}}]}', "with no words"),
        (b'{"choices": [{"message": {"content": "  "}}]}', "with no words"),
        (b"\xff\xfe\x00", "is none of OpenAI's chat API"),
    ],
)
def test_nonsense_is_a_problem_and_is_not_asked_again(server: Server, content: bytes, words: str) -> None:
    server.answers = [(200, content, {})]
    (found,) = describe(server)
    assert words in found.problem
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_ends_it_without_telling_the_key(server: Server, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server.answers = [(status, b'{"error": {"message": "no key Bearer sk-secret, or no such model"}}', {})]
    first, second = describe(server, PICTURE, PICTURE)
    wanted = f"answered {status}: no key Bearer (the key), or no such model Look at url, model, and OPENAI_API_KEY."
    assert isinstance(first.end, BadRequest)
    assert str(first.end).endswith(wanted)
    assert second == first
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [200, 400, 503])
def test_a_server_that_repeats_the_key_is_not_repeated(server: Server, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server.answers = [(status, b"x" * 195 + b" sk-secret", {})]
    assert "sk-s" not in str(describe(server))


@pytest.mark.parametrize("more", ["\n", " \r\n", "  "])
def test_a_key_comes_without_what_came_along(server: Server, monkeypatch: pytest.MonkeyPatch, more: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f" sk-secret{more}")
    server.answers = [said("x")]
    assert describe(server)[0].sentence == "x"
    assert server.asked[0][1]["Authorization"] == "Bearer sk-secret"


@pytest.mark.parametrize("key", ["sk-secret\nsk-other", "sk-sécret"])
def test_what_is_no_key_is_refused_without_telling_it(server: Server, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(BadRequest, match="OPENAI_API_KEY in the environment holds more than a key") as caught:
        describe(server)
    assert "cret" not in str(caught.value)


def test_one_that_answers_drop_by_drop(server: Server) -> None:
    """Each drop comes in time, and all of them never."""
    server.answers = [said("x" * 200)]
    server.pause = 0.05
    (found,) = describe(server, timeout=1, tries=1)
    assert found.problem == "The captioning server did not answer within 1 seconds. (1 tries)"


def test_a_server_that_is_away(server: Server) -> None:
    settings = read_value(CaptionerSettings, {"kind": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "see", "tries": 2})
    first, second = open_captioner(settings, "cpu").describe([PICTURE, PICTURE])
    assert "cannot be reached" in first.problem
    assert "(2 tries) Start it, or look at url." in str(first.end)
    assert second == first


def test_an_address_that_is_none(server: Server) -> None:
    server.url = "http://x:port/v1"
    assert 'url is "http://x:port/v1"' in str(describe(server)[0].end)


def test_a_key_is_not_carried_to_another_address(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server.answers = [(307, b"", {"Location": "http://127.0.0.1:9/steal"})]
    (found,) = describe(server)
    assert "answered 307" in found.problem
    assert len(server.asked) == 1


def test_several_at_once_come_back_in_order(server: Server) -> None:
    server.answers = [said("x")]
    assert len(describe(server, *[PICTURE] * 5, at_once=3)) == 5
