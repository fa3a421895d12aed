"""How do the samples look in the WebUI that will use the LoRA? It draws them itself, from a file in its Lora folder, over its API."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

import httpx
from PIL import Image

from lib_extension.formats.safetensors_header import read_header
from lib_extension.spec.errors import AtelierError
from lib_extension.spec.training.run import SampleSettings

PATIENCE = 300.0  # seconds without an answer
_PATIENCE_FOR_LISTS = 30.0
# What an answer may be that is no sample: no HTTP, no JSON, JSON of another form, no base64, no picture, a broken one.
_NOT_SAMPLES = (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, KeyError, IndexError, OSError, SyntaxError)
_NOT_SAMPLES += (Image.DecompressionBombError,)


class NoSamples(AtelierError):
    """The WebUI did not do what it was asked for; the training goes on without."""

    status = 502


class NoAnswer(NoSamples):
    """It let us wait in vain: it had better not be asked again."""


def draw_by_webui(url: str, lora: Path, samples: tuple[SampleSettings, ...], side: int, told: Callable[[str], None]) -> list[Image.Image]:
    """A picture of each sample with `lora`, which lies in the WebUI's Lora folder, on the base that it was trained on.

    `told` gets a line where the WebUI lacks that base, so that another one draws. NoSamples says what went wrong.
    """
    with _asking(url, "drew no samples", PATIENCE) as client:
        _answered(client, "refresh-loras", {})
        _check_known(client, lora)
        options = _on_its_base(client, lora, lambda text: told(f"{_place(url)} {text}"))
        return [_drawn(client, lora.stem, sample, side, options) for sample in samples]


def refresh_loras(url: str) -> None:
    """Have the WebUI list the files that are new in its Lora folder. NoSamples says what went wrong."""
    with _asking(url, "did not look for new LoRAs", _PATIENCE_FOR_LISTS) as client:
        _answered(client, "refresh-loras", {})


@contextmanager
def _asking(url: str, what: str, patience: float) -> Iterator[httpx.Client]:
    try:
        with httpx.Client(base_url=url, timeout=httpx.Timeout(patience, connect=10)) as client:
            yield client
    except (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout) as error:
        raise NoAnswer(f"{_place(url)} {what}: it did not answer in {patience:g} seconds. It is not asked again.") from error
    except NoSamples as error:
        raise NoSamples(f"{_place(url)} {what}: {error}") from error
    except _NOT_SAMPLES as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise NoSamples(f"{_place(url)} {what}: {reason}") from error


def _drawn(client: httpx.Client, lora: str, sample: SampleSettings, side: int, options: dict[str, str]) -> Image.Image:
    body: dict[str, Any] = {
        "prompt": f"{sample.prompt} <lora:{lora}:1>",
        "negative_prompt": sample.negative_prompt,
        "width": sample.width or side,
        "height": sample.height or side,
        "steps": sample.steps,
        "cfg_scale": sample.cfg_scale,
        "seed": sample.seed,
        "sampler_name": "Euler",
        "override_settings": options,
        "save_images": False,
        "do_not_save_grid": True,
    }
    answer = _answered(client, "txt2img", body).json()
    picture = Image.open(io.BytesIO(base64.b64decode(answer["images"][0])))
    picture.load()
    return picture.convert("RGB")


def _check_known(client: httpx.Client, lora: Path) -> None:
    """A WebUI that does not find a LoRA draws without it, and does not say so."""
    answer = client.get("/sdapi/v1/loras")
    if answer.status_code == 200 and lora.stem not in [known["name"] for known in answer.json()]:
        raise NoSamples(f'it does not find a LoRA in "{lora.parent.name}". Is output.lora_folder its own?')


def _on_its_base(client: httpx.Client, lora: Path, told: Callable[[str], None]) -> dict[str, str]:
    """The setting by which the WebUI draws with the base that the file names, by its hash, or by its name where no hash is known."""
    answer = client.get("/sdapi/v1/sd-models")
    if answer.status_code != 200:
        return {}
    said, listed = read_header(lora).metadata, answer.json()
    name, sha256 = said.get("ss_sd_model_name", ""), said.get("ss_new_sd_model_hash", "")
    same = [one for one in listed if sha256 and str(one.get("sha256") or "").lower() == sha256]
    same += [one for one in listed if not one.get("sha256") and _file_name(one) == name]
    if same:
        return {"sd_model_checkpoint": str(same[0]["title"])}
    options = client.get("/sdapi/v1/options")
    current = options.json().get("sd_model_checkpoint") if options.status_code == 200 else ""
    told(f'does not have the base model "{name}" that is trained on; the samples are drawn on "{current or "the one in use"}".')
    return {}


def _file_name(listed: dict[str, Any]) -> str:
    return PurePath(str(listed.get("filename") or "").replace("\\", "/")).name


def _answered(client: httpx.Client, route: str, body: dict[str, Any]) -> httpx.Response:
    answer = client.post(f"/sdapi/v1/{route}", json=body)
    if answer.status_code != 200:
        raise NoSamples(f"it answered {route} with {answer.status_code}: {answer.text.strip()[:200]}")
    return answer


def _place(url: str) -> str:
    """Without a user's name and password."""
    try:
        asked = httpx.URL(url)
        return f"{asked.scheme}://{asked.netloc.decode('ascii')}" if asked.host else url
    except httpx.InvalidURL:
        return "run.sample_by"
