"""Does the engine say who it is, and which files it has?"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import save_file

from lib_extension.models.hashes import network_hash
from tests.engine.running import Running


def test_the_engine_says_on_what_it_runs(strict: Running) -> None:
    told = strict.json("GET", "/atelier-engine/v1/identity")
    assert isinstance(told, dict)
    assert (told["software"], told["device"], told["precision"]) == ("atelier-engine", "cpu", "fp32")
    assert version("diffusers") in told["version"]


def test_hashes_are_those_of_infotexts(strict: Running, webui_models: Path) -> None:
    found = strict.json("GET", "/sdapi/v1/sd-models")
    assert isinstance(found, list)
    checkpoint = found[0]["model_name"]
    lora = next((webui_models / "Lora").rglob("*.safetensors"))
    embedding = webui_models.parent / "embeddings" / "brass.safetensors"
    embedding.parent.mkdir(exist_ok=True)
    save_file({"emb_params": torch.ones(1, 8)}, embedding)
    strict.json("POST", "/sdapi/v1/refresh-embeddings", {})
    names = {"checkpoints": [checkpoint], "loras": [lora.stem], "embeddings": ["brass", "nosuch"]}
    told = strict.json("POST", "/atelier-engine/v1/hashes", names)
    assert isinstance(told, dict)
    assert told["embeddings"] == {"brass": hashlib.sha256(embedding.read_bytes()).hexdigest()[:12]}
    embedding.unlink()
    strict.json("POST", "/sdapi/v1/refresh-embeddings", {})
    assert told["loras"] == {lora.stem: network_hash(lora)[:12]}
    made = strict.json("GET", "/sdapi/v1/sd-models")
    assert isinstance(made, list)
    assert told["checkpoints"] == {checkpoint: made[0]["hash"]}


def test_hashes_of_vaes_and_upscalers_that_are_files(strict: Running, webui_models: Path) -> None:
    files = {"vaes": webui_models / "VAE" / "soft.safetensors", "upscalers": webui_models / "ESRGAN" / "sharp.pth"}
    for name, file in files.items():
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(name.encode())
    strict.json("POST", "/sdapi/v1/refresh-checkpoints", {})
    told = strict.json("POST", "/atelier-engine/v1/hashes", {"vaes": ["soft.safetensors"], "upscalers": ["sharp", "Lanczos"]})
    for file in files.values():
        file.unlink()
    strict.json("POST", "/sdapi/v1/refresh-checkpoints", {})
    assert isinstance(told, dict)
    expected = {name: hashlib.sha256(name.encode()).hexdigest()[:10] for name in files}
    assert told["vaes"] == {"soft.safetensors": expected["vaes"]}
    assert told["upscalers"] == {"sharp": expected["upscalers"]}


def test_loras_of_both_passes_are_told(strict: Running, webui_models: Path) -> None:
    lora = webui_models / "Lora" / "tinylora.safetensors"
    late = lora.with_name("late.safetensors")
    late.write_bytes(lora.read_bytes())
    strict.json("POST", "/sdapi/v1/refresh-loras", {})
    body = {"steps": 1, "width": 64, "height": 64, "sampler_name": "Euler", "hr_scale": 1.5, "hr_upscaler": "Latent"}
    second = {"enable_hr": True, "denoising_strength": 0.5, "hr_prompt": "a cat <lora:late:0.5>"}
    hash = network_hash(lora)[:12]
    for prompt, told in (("a cat", f"late: {hash}"), ("a cat <lora:tinylora:1>", f"tinylora: {hash}, late: {hash}")):
        made = strict.json("POST", "/sdapi/v1/txt2img", {**body, **second, "prompt": prompt})
        assert isinstance(made, dict)
        assert json.loads(made["info"])["extra_generation_params"]["Lora hashes"] == told
    late.unlink()
    strict.json("POST", "/sdapi/v1/refresh-loras", {})


def test_an_unknown_file_is_named(strict: Running) -> None:
    answer = strict.client.post("/atelier-engine/v1/hashes", json={"loras": ["nosuch"]})
    assert answer.status_code == 404
    assert "nosuch" in answer.text
