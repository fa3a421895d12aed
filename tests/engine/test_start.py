"""Starting and ending: wrong arguments end in one clear message, and the engine ends with who started it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lib_extension.engine.command import command_line, is_hub_id
from lib_extension.engine.parent import when_gone
from lib_extension.engine.start import check_address, find_models, first_choice, listen, read_credentials
from lib_extension.spec.errors import BadRequest, NotFound
from tests.engine.running import start, wait_until_ready


@pytest.mark.parametrize(("text", "read"), [(None, ()), ("a:b", ("a:b",)), ("a:b, c:d", ("a:b", "c:d"))])
def test_credentials_are_read(text: str | None, read: tuple[str, ...]) -> None:
    assert read_credentials(text) == read


@pytest.mark.parametrize("text", ["", "nobody", "a:b,c"])
def test_credentials_without_a_password_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="USER:PASSWORD"):
        read_credentials(text)


def test_another_address_than_loopback_needs_credentials() -> None:
    check_address("127.0.0.1", ())
    check_address("0.0.0.0", ("a:b",))
    with pytest.raises(BadRequest, match="Add --api-auth"):
        check_address("0.0.0.0", ())


def test_a_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        taken.listen()
        with pytest.raises(BadRequest, match=f"Port {port}"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize(
    ("model", "is_one"),
    [
        ("owner/name", True),
        ("demo", False),
        (None, False),
        ("/etc/passwd", False),
        ("./x", False),
        ("a/b/c", False),
        ("tests/engine", False),
    ],
)
def test_what_is_a_hub_id(model: str | None, is_one: bool) -> None:
    assert is_hub_id(model) is is_one


@pytest.mark.parametrize(
    ("model", "title"), [(None, "tiny2.safetensors"), ("tiny", "tiny.safetensors"), ("none", ""), ("PATH", "tiny2.safetensors")]
)
def test_which_model_is_loaded_first(webui_models: Path, model: str | None, title: str) -> None:
    arguments = ["--models-dir", str(webui_models)]
    path = str(webui_models / "Stable-diffusion" / "tiny2.safetensors")
    asked = command_line().parse_args([*arguments, *(["--model", path if model == "PATH" else model] if model else [])])
    assert first_choice(asked, find_models(asked)).split(" [")[0] == title


@pytest.mark.parametrize("arguments", [["--model", "tyny"], ["--models-dir", "no/such/folder"]])
def test_a_model_that_is_not_there_is_told(webui_models: Path, arguments: list[str]) -> None:
    asked = command_line().parse_args(["--models-dir", str(webui_models), *arguments])
    with pytest.raises(NotFound):
        first_choice(asked, find_models(asked))


def test_the_end_of_a_process_is_noticed() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    seen: list[float] = []
    when_gone(process.pid, lambda: seen.append(time.monotonic()))
    time.sleep(0.1)
    assert not seen
    process.kill()
    wait_for(lambda: bool(seen))
    process.wait()
    assert process.stdin is not None
    process.stdin.close()
    when_gone(process.pid, lambda: seen.append(time.monotonic()))
    wait_for(lambda: len(seen) == 2)


def test_the_engine_ends_with_who_started_it(webui_models: Path, tmp_path: Path) -> None:
    """And starts with no checkpoint, which it says when one is needed."""
    owner = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    engine = start(tmp_path / "log", "--model", "none", "--models-dir", str(webui_models), "--parent-pid", str(owner.pid))
    try:
        _, model = wait_until_ready(engine, tmp_path / "log")
        assert model == "none"
        assert owner.stdin is not None
        owner.stdin.close()
        owner.wait(30)
        assert engine.wait(60) == 0
    finally:
        engine.kill()
        engine.wait()
        assert engine.stdout is not None
        engine.stdout.close()


def wait_for(what: object, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    assert callable(what)
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_answers_are_sent_at_once() -> None:
    """asyncio sets TCP_NODELAY only where the socket names its protocol; without it, each answer waited 40 ms for an acknowledgement."""
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP
