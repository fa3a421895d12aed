"""Does the client send what is asked for, take what is its own of the answer, and say plainly what went wrong?"""

from __future__ import annotations

import socket

import httpx
import pytest

from lib_extension.backend.client import Client, Refused, Unreachable, WrongAnswer
from lib_extension.spec.sdapi import Img2Img, Txt2Img
from tests.backend.webui_stand_in import StandIn

TWO = Txt2Img(prompt="a mug", seed=5, batch_size=2, width=16, height=8, steps=3)


def client_of(server: StandIn) -> Client:
    return Client("http://webui", httpx.WSGITransport(app=server, raise_app_exceptions=True))


@pytest.mark.parametrize("grid", [False, True])
def test_pictures_come_with_their_seeds_and_without_grid_and_maps(grid: bool) -> None:
    answer = client_of(StandIn(grid=grid)).generate(TWO)
    assert [image.getpixel((0, 0)) for image in answer.images] == [(5, 0, 0), (6, 0, 0)]
    assert [image.size for image in answer.images] == [(16, 8), (16, 8)]
    assert answer.seeds == (5, 6)
    assert answer.infotexts == ("a mug\nSeed: 5", "a mug\nSeed: 6")


def test_every_field_is_sent_because_defaults_differ_between_backends() -> None:
    server = StandIn()
    client_of(server).generate(Img2Img(init_images=["x"], seed=1, width=8, height=8))
    ((path, body),) = server.calls
    assert path == "/sdapi/v1/img2img"
    assert (body["inpainting_fill"], body["inpaint_full_res"], body["denoising_strength"], body["steps"]) == (0, True, 0.75, 50)
    assert "sampler_name" not in body  # None means: not sent


def test_too_few_pictures_are_an_error_not_a_result() -> None:
    with pytest.raises(WrongAnswer, match="asked for 2 pictures and gave 1"):
        client_of(StandIn(lost=1)).generate(TWO)


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (404, {"detail": "Sampler not found"}, "Sampler not found"),
        (500, {"error": "RuntimeError", "detail": "", "errors": "out of memory"}, "out of memory"),
        (422, {"detail": [{"loc": ["body", "steps"], "msg": "not a number", "type": "x"}]}, "steps: not a number"),
        (502, b"<html>Bad gateway</html>", "status 502"),
        (500, ["odd"], "status 500"),
    ],
)
def test_a_refusal_says_what_the_server_said(status: int, answer: object, said: str) -> None:
    with pytest.raises(Refused) as caught:
        client_of(StandIn(refuse=(status, answer))).generate(TWO)
    assert str(caught.value) == f"http://webui refused: {said}"


@pytest.mark.parametrize("answer", [b"<html>", [], {"images": []}, {"images": [], "info": "{"}, {"images": [], "info": "{}"}])
def test_something_else_than_a_webui_is_told_so(answer: object) -> None:
    with pytest.raises(WrongAnswer, match="is it a WebUI"):
        client_of(StandIn(refuse=(200, answer))).generate(TWO)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port} does not answer"):
        Client(f"http://127.0.0.1:{port}", httpx.HTTPTransport()).generate(TWO)
