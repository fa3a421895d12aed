"""Does a WebUI draw the samples with the LoRA as it is at that step, and does one that is away, stalls or errs stop nothing?"""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageChops
from safetensors.torch import save_file

from tests.engine.running import engine
from tests.trainer.runs import Told, carried_out, config_file
from trainer import webui_samples

SAMPLES = [{"prompt": "a disc", "steps": 2, "seed": 5}, {"prompt": "a disc", "steps": 2, "width": 72}]


def trained(folder: Path, model: Path, loras: Path, url: str, **run: object) -> Told:
    told = {"steps": 2, "samples": SAMPLES, "sample_every": 1, "sample_by": url, **run}
    parts = {"optimizer": {"learning_rate": 0.5}, "output": {"lora_folder": str(loras)}}
    return carried_out("train", config_file(folder, model, run=told, **parts))


def opened(file: Path) -> Image.Image:
    with Image.open(file) as picture:
        return picture.convert("RGB")


def test_the_engine_draws_them_with_the_lora_of_the_step(sd1_folder: Path, models_folder: Path, tmp_path: Path) -> None:
    loras = tmp_path / "Lora"
    loras.mkdir()
    with engine(tmp_path / "log", "--model", str(sd1_folder), "--lora-dir", str(loras), "--models-dir", str(models_folder)) as running:
        told = trained(tmp_path, sd1_folder, loras, str(running.client.base_url))
        plain = carried_out("train", tmp_path / "config.json", "name=elsewhere", f"output.lora_folder={tmp_path / 'other'}", "run.steps=1")
    assert told.status == 0, told.error
    assert "drew no samples" not in told.logged
    assert "does not have the base model" not in told.logged
    folder = tmp_path / "runs/disc/samples"
    pictures = [opened(folder / f"step-00000{step}-1.png") for step in range(3)]
    assert [picture.size for picture in (*pictures, opened(folder / "step-000002-2.png"))] == [(64, 64)] * 3 + [(72, 64)]
    for before, after in pairwise(pictures):
        assert ImageChops.difference(before, after).getbbox(), "each step's own weights draw"
    assert sorted(path.name for path in loras.glob("*.safetensors")) == ["disc.safetensors"]
    assert plain.status == 0
    assert 'does not find a LoRA in "other". Is output.lora_folder its own?' in plain.logged


@contextmanager
def server(
    status: int, body: bytes, stalls: threading.Event | None = None, lists: dict[str, object] | None = None, bodies: list[Any] | None = None
) -> Iterator[tuple[str, list[str]]]:
    """What is not the WebUI that was hoped for, but for its `lists`; and what it was asked, also with which `bodies`."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if bodies is not None:
                bodies.append(sent)
            if stalls is not None:
                stalls.wait(60)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            found = (lists or {}).get(self.path.rpartition("/")[2])
            if found is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, format: str, *args: object) -> None: ...

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{serving.server_port}", asked
    finally:
        if stalls is not None:
            stalls.set()
        serving.shutdown()
        serving.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, b'{"detail": "out of memory"}', 'refresh-loras with 500: {"detail": "out of memory"}'),
        (200, b"<html>", "drew no samples: "),
        (200, b'{"images": ["AAAA"]}', "cannot identify image file"),
        (200, b'{"images": []}', "drew no samples: "),
        (200, b"[]", "drew no samples: "),
    ],
)
def test_what_is_no_sample_is_told(status: int, body: bytes, said: str, tmp_path: Path) -> None:
    samples = (webui_samples.SampleSettings(prompt="x"),)
    with server(status, body) as (url, _), pytest.raises(webui_samples.NoSamples) as told:
        webui_samples.draw_by_webui(url.replace("://", "://me:secret@"), tmp_path / "hat.safetensors", samples, 64, print)
    assert said in str(told.value)
    assert "secret" not in str(told.value)


SHA = "ab" * 32
OTHER = {"title": "other.safetensors [cd]", "sha256": "cd" * 32, "filename": "/webui/models/base.safetensors"}


@pytest.mark.parametrize(
    ("listed", "drawn_on"),
    [
        ([OTHER, {"title": "mine.safetensors [ab]", "sha256": SHA, "filename": "/webui/models/mine.safetensors"}], "mine.safetensors [ab]"),
        ([OTHER, {"title": "base.safetensors", "sha256": None, "filename": "C:\\models\\base.safetensors"}], "base.safetensors"),
        ([OTHER], ""),
    ],
    ids=["by its hash", "by its name", "not there"],
)
def test_it_draws_on_the_base_of_the_training(listed: list[dict[str, object]], drawn_on: str, tmp_path: Path) -> None:
    lora = tmp_path / "hat.safetensors"
    save_file({"x": torch.zeros(1)}, lora, {"ss_sd_model_name": "base.safetensors", "ss_new_sd_model_hash": SHA})
    lists = {"loras": [{"name": "hat"}], "sd-models": listed, "options": {"sd_model_checkpoint": "other.safetensors [cd]"}}
    picture, bodies, told = io.BytesIO(), [], []
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    body = json.dumps({"images": [base64.b64encode(picture.getvalue()).decode()]}).encode()
    with server(200, body, lists=lists, bodies=bodies) as (url, _):
        assert len(webui_samples.draw_by_webui(url, lora, (webui_samples.SampleSettings(prompt="x"),), 64, told.append)) == 1
    assert bodies[-1]["override_settings"] == ({"sd_model_checkpoint": drawn_on} if drawn_on else {})
    lacks = 'does not have the base model "base.safetensors" that is trained on; the samples are drawn on "other.safetensors [cd]".'
    assert told == ([] if drawn_on else [f"{url} {lacks}"])


def test_it_is_told_of_the_finished_file(sd1_folder: Path, tmp_path: Path) -> None:
    with server(200, b"null") as (url, asked):
        told = trained(tmp_path, sd1_folder, tmp_path / "Lora", url, samples=[])
    assert told.status == 0, told.error
    assert asked == ["/sdapi/v1/refresh-loras"]
    with pytest.raises(webui_samples.NoSamples, match="did not look for new LoRAs"):
        webui_samples.refresh_loras(url)


def test_one_that_is_away_stops_nothing(sd1_folder: Path, tmp_path: Path) -> None:
    with server(200, b"") as (url, _):
        pass  # nobody listens there any more
    told = trained(tmp_path, sd1_folder, tmp_path / "Lora", url)
    assert told.status == 0
    assert told.logged.count("drew no samples") == 3
    assert sorted(path.name for path in (tmp_path / "Lora").iterdir()) == ["disc.json", "disc.safetensors"]


def test_one_that_stalls_is_asked_once(sd1_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webui_samples, "PATIENCE", 0.5)
    with server(200, b"", threading.Event()) as (url, asked):
        told = trained(tmp_path, sd1_folder, tmp_path / "Lora", url)
    assert told.status == 0
    assert told.logged.count("did not answer in 0.5 seconds") == 1
    assert asked == ["/sdapi/v1/refresh-loras"]
    assert json.loads((tmp_path / "runs/disc/states/step-000002/state.json").read_text())["step"] == 2
