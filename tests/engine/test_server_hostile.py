"""What a hostile or careless client sends: refused in plain words, without trace or path, and the next good request succeeds."""

from __future__ import annotations

import base64
import json
import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.engine.conftest import write_lora
from tests.engine.replay.recordings import picture
from tests.engine.running import Running

GOOD: dict[str, Any] = {"prompt": "a cat", "steps": 1, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler"}


@pytest.fixture(autouse=True)
def _the_next_good_request_succeeds(strict: Running) -> Iterator[None]:
    yield
    answer = strict.client.post("/sdapi/v1/txt2img", json=GOOD)
    assert answer.status_code == 200, answer.text[:300]
    assert len(answer.json()["images"]) == 1


def refused(answer: httpx.Response, status: int, *words: str) -> None:
    """The status, every one of the words, and nothing of this machine."""
    assert answer.status_code == status, answer.text[:500]
    body = answer.json()
    assert set(body) in ({"error", "detail", "body", "errors"}, {"detail"})
    for word in words:
        assert word in answer.text
    assert "Traceback" not in answer.text
    assert str(Path.cwd()) not in answer.text
    assert "/tmp" not in answer.text
    assert ".py" not in answer.text


def with_unit(unit: dict[str, Any]) -> dict[str, Any]:
    return {"alwayson_scripts": {"controlnet": {"args": [{"enabled": True, **unit}]}}}


def png(width: int, height: int) -> bytes:
    """A grey 1-bit PNG, a few kB however large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes(height * (1 + (width + 7) // 8)), 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("field", ["init_images", "mask"])
def test_a_png_bomb(strict: Running, field: str) -> None:
    bomb = base64.b64encode(png(20_000, 20_000)).decode()
    body = {**GOOD, "init_images": [picture(64, 64)], "mask": picture(64, 64, "L")}
    body[field] = [bomb] if field == "init_images" else bomb
    refused(strict.client.post("/sdapi/v1/img2img", json=body), 413, field, "megapixels")


@pytest.mark.parametrize("path", ["/sdapi/v1/png-info", "/sdapi/v1/extra-single-image", "/atelier-engine/v1/tags"])
def test_a_png_bomb_where_no_model_is_needed(strict: Running, path: str) -> None:
    bomb = base64.b64encode(png(20_000, 20_000)).decode()
    refused(strict.client.post(path, json={"image": bomb, "upscaler_1": "Lanczos"}), 413, "megapixels")


def test_200_mb_of_base64(strict: Running) -> None:
    def body() -> Iterator[bytes]:
        yield b'{"init_images": ["'
        for _ in range(200):
            yield b"A" * 2**20
        yield b'"]}'

    answer = strict.client.post("/sdapi/v1/img2img", content=body(), headers={"Content-Type": "application/json"})
    refused(answer, 413, "TooLarge", "128 MB")


@pytest.mark.parametrize("cut", [20, 100, 300])
def test_a_truncated_png(strict: Running, cut: int) -> None:
    whole = base64.b64decode(picture(128, 128))
    half = base64.b64encode(whole[:cut]).decode()
    refused(strict.client.post("/sdapi/v1/img2img", json={**GOOD, "init_images": [half]}), 422, "init_images")
    refused(strict.client.post("/sdapi/v1/png-info", json={"image": half}), 422, "image")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", '"nan"', '"inf"', "1" * 5000])
@pytest.mark.parametrize("field", ["cfg_scale", "denoising_strength", "seed"])
def test_numbers_that_are_none(strict: Running, number: str, field: str) -> None:
    content = json.dumps({**GOOD, field: "HERE"}).replace('"HERE"', number)
    answer = strict.client.post("/sdapi/v1/txt2img", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 413, 422), answer.text[:300]
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"steps": -1}, 422, ["steps is -1"]),
        ({"steps": 0}, 422, ["steps is 0"]),
        ({"width": -64}, 422, ["-64"]),
        ({"width": 100}, 422, ["multiple of 8"]),
        ({"batch_size": -3}, 422, ["batch_size is -3"]),
        ({"batch_size": 1000}, 413, ["batch_size is 1000"]),
        ({"n_iter": 10**9}, 413, ["n_iter"]),
        ({"width": 10**6, "height": 10**6}, 413, ["1000000"]),
        ({"steps": 10**12}, 413, ["steps"]),
        ({"seed": 2**80}, 422, ["seed"]),
        ({"denoising_strength": 7, "enable_hr": True, "hr_upscaler": "Latent"}, 422, ["denoising_strength is 7"]),
        ({"enable_hr": True, "hr_upscaler": "Latent", "hr_scale": 1e6, "denoising_strength": 0.5}, 413, []),
        ({"enable_hr": True, "hr_upscaler": "Latent", "hr_scale": -2, "denoising_strength": 0.5}, 422, []),
        ({"sampler_name": "Eulr"}, 422, ['Did you mean \\"Euler\\"']),
        ({"scheduler": "Kerras"}, 422, ['Did you mean \\"Karras\\"']),
        ({"override_settings": {"sd_model_checkpoint": "tyny"}}, 404, ["tyny"]),
        ({"override_settings": {"no_such_option": 1}}, 422, ["no_such_option"]),
        ({"override_settings": {"sd_vae": "nope"}}, 404, ["nope"]),
        ({"override_settings": {"sd_model_checkpoint": 5}}, 422, ["sd_model_checkpoint"]),
        ({"prompt": "a <lora:nope:1>"}, 404, ["nope"]),
        (
            {
                "alwayson_scripts": {
                    "controlnet": {"args": [{"enabled": True, "module": "cany", "model": "tiny_cn_canny", "image": picture(64, 64)}]}
                }
            },
            422,
            ["cany"],
        ),
        ({"alwayson_scripts": {"controlnet": {"args": [{"enabled": True, "module": "canny", "model": "tiny_cn_canny"}]}}}, 422, ["image"]),
        ({"alwayson_scripts": {"controlnet": {"args": "x"}}}, 422, ["args"]),
        ({"alwayson_scripts": {"controlnet": 7}}, 422, ["controlnet"]),
        ({"alwayson_scripts": {"nope": {}}}, 422, ["Script 'nope' not found"]),
        ({"script_name": "nope"}, 422, ["Script 'nope' not found"]),
        ({"infotext": "a cat\nSteps: many, Sampler: Euler, CFG scale: 7, Seed: 1", "steps": None}, 422, ["Steps: many"]),
    ],
)
def test_values_that_make_no_sense(strict: Running, change: dict[str, Any], status: int, words: list[str]) -> None:
    refused(strict.client.post("/sdapi/v1/txt2img", json={**GOOD, **change}), status, *words)


@pytest.mark.parametrize("name", ["../../../../etc/passwd", "..\\..\\secret", "/etc/passwd", "tiny/../tiny", "\u0000", "a" * 100_000])
def test_names_that_lead_out_of_the_folders(strict: Running, name: str) -> None:
    for change in (
        {"override_settings": {"sd_model_checkpoint": name}},
        {"override_settings": {"sd_vae": name}},
        {"prompt": f"a cat <lora:{name}:1>"},
    ):
        answer = strict.client.post("/sdapi/v1/txt2img", json={**GOOD, **change})
        refused(answer, 404)
        assert "root:" not in answer.text
    refused(strict.client.post("/sdapi/v1/options", json={"sd_model_checkpoint": name}), 404)


def test_safetensors_files_that_lie_and_pickles(strict: Running, webui_models: Path) -> None:
    folder = webui_models / "Stable-diffusion"
    files = {"liar.safetensors": struct.pack("<Q", 2**60) + b"{}", "pickle.ckpt": b"\x80\x04", "empty.safetensors": b""}
    try:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        assert strict.client.post("/sdapi/v1/refresh-checkpoints").status_code == 200
        for name in files:
            answer = strict.client.post("/sdapi/v1/txt2img", json={**GOOD, "override_settings": {"sd_model_checkpoint": name}})
            refused(answer, 422, "BadFile", name)
        assert strict.client.get("/sdapi/v1/sd-models").status_code == 200
    finally:
        for name in files:
            (folder / name).unlink()
        strict.client.post("/sdapi/v1/refresh-checkpoints")


def test_a_lora_for_another_architecture_is_named_with_the_checkpoint(strict: Running, webui_models: Path) -> None:
    file = write_lora(webui_models / "Lora" / "too_wide.safetensors", width=320)
    lying = webui_models / "Lora" / "lying.safetensors"
    shutil.copy(file, lying)
    lying.write_bytes(lying.read_bytes()[:-100])
    try:
        strict.client.post("/sdapi/v1/refresh-loras")
        refused(
            strict.client.post("/sdapi/v1/txt2img", json={**GOOD, "prompt": "x <lora:too_wide:1>"}), 422, "Mismatch", "too_wide", "tiny"
        )
        refused(strict.client.post("/sdapi/v1/txt2img", json={**GOOD, "prompt": "x <lora:lying:1>"}), 422, "BadFile", "lying")
    finally:
        file.unlink()
        lying.unlink()
        strict.client.post("/sdapi/v1/refresh-loras")


def test_unknown_fields_are_accepted_and_named_in_a_header(strict: Running) -> None:
    unit = {"enabled": False, "no_such": 1}
    body = {**GOOD, "no_such_field": 1, "naïve\r\nX-Evil: 1": 2, "alwayson_scripts": {"controlnet": {"args": [unit]}}}
    answer = strict.client.post("/sdapi/v1/txt2img", json=body)
    assert answer.status_code == 200
    assert answer.headers["X-Atelier-Unknown-Fields"] == "no_such_field, na%C3%AFve%0D%0AX-Evil%3A%201, alwayson_scripts.controlnet.no_such"
    assert "X-Evil" not in answer.headers
    assert strict.client.post("/sdapi/v1/txt2img", json={**GOOD, "": 1}).headers["X-Atelier-Unknown-Fields"] == "(empty)"
    assert "X-Atelier-Unknown-Fields" not in strict.client.post("/sdapi/v1/txt2img", json=GOOD).headers


@pytest.mark.parametrize("prompt", ["\u0000", "((((((", "[a:b:", "<lora:", "\U0001f600" * 50, "BREAK " * 20, "a" * 20_000, "AND AND"])
def test_any_prompt_is_one(strict: Running, prompt: str) -> None:
    answer = strict.client.post("/sdapi/v1/txt2img", json={**GOOD, "prompt": prompt, "negative_prompt": prompt})
    assert answer.status_code == 200, answer.text[:300]


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 422), (b"[]", 422), (b"7", 422), (b"{", 422), (b"\xff\xfe", 400), (b'{"prompt": "\\ud800"}', 422), (b"[" * 100_000, 400)],
)
def test_bodies_that_are_no_requests(strict: Running, content: bytes, status: int) -> None:
    answer = strict.client.post("/sdapi/v1/txt2img", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (status, 400, 422), answer.text[:300]
    assert "Traceback" not in answer.text


def test_other_web_sites_and_rebound_names_are_refused(strict: Running) -> None:
    refused(strict.client.get("/sdapi/v1/options", headers={"Host": "evil.example"}), 403)
    refused(strict.client.post("/sdapi/v1/interrupt", headers={"Origin": "https://evil.example"}), 403)
    refused(strict.client.post("/sdapi/v1/interrupt", headers={"Origin": "null"}), 403)
    assert strict.client.post("/sdapi/v1/interrupt", headers={"Origin": "http://localhost:7860"}).status_code == 200
