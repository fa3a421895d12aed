"""`serve` as a process, as service managers start and end it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from lib_extension.cli import exit_codes
from lib_extension.cli.main import main
from tests.runs.stub_backend import running_stub

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM is not there")
def test_whoever_ends_it_ends_the_server_and_what_runs_is_paused(tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "home/recipes").mkdir(parents=True)
    with running_stub(delay=1.0) as stub:
        words = ["--home", str(tmp_path / "home"), "--backend", stub.url, "--port", str(port)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "lib_extension", "serve", *words]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as server:
            url = f"http://127.0.0.1:{port}/atelier/v1"
            with httpx.Client(trust_env=False, transport=httpx.HTTPTransport(retries=8), timeout=20) as client:
                deadline = time.monotonic() + 30
                while True:
                    try:
                        client.get(f"{url}/recipes").raise_for_status()
                        break
                    except httpx.TransportError:
                        assert time.monotonic() < deadline
                stages = "settings: {steps: 1, sampler_name: Euler, scheduler: Automatic}\naxes: {n: [1, 2, 3]}\n"
                stages += "stages: [{id: a, type: txt2img, prompt: 'a {n}'}]"
                client.put(f"{url}/recipes/mine", content=stages).raise_for_status()
                run = client.post(f"{url}/recipes/mine/runs").raise_for_status().json()
            while not stub.calls:
                time.sleep(0.02)
            server.send_signal(signal.SIGTERM)
            server.wait(20)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1).close()
        assert len(stub.calls) == 1
        stub.delay = 0
        assert (tmp_path / "home/outputs" / run["id"] / "01-a/001-1.png").is_file()
        assert main(["resume", "--home", str(tmp_path / "home")]) == exit_codes.DONE
        assert len(stub.calls) == 3


def test_only_this_machine_is_served_without_a_password(capsys: pytest.CaptureFixture[str]):
    assert main(["serve", "--host", "0.0.0.0"]) == exit_codes.BAD_INPUT
    assert "Set ATELIER_SERVE_AUTH=user:password" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_before_anything_starts(capsys: pytest.CaptureFixture[str]):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == exit_codes.BAD_INPUT
    assert "--port 0 takes a free one" in capsys.readouterr().err


def test_the_address_is_said_when_the_page_is_there(tmp_path: Path):
    command = [sys.executable, "-m", "lib_extension", "serve", "--port", "0", "--home", str(tmp_path), "--backend", "engine:none"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        address = line.removeprefix("Atelier is at ").split(" ")[0]
        assert "atelier_root" in httpx.get(address, trust_env=False).text
        server.terminate()
