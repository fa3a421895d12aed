"""How do the samples look in the WebUI that will use the LoRA? It draws them itself, from a file in its Lora folder, over its API."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from lib_extension.spec.errors import AtelierError
from lib_extension.spec.training.run import SampleSettings

PATIENCE = 300.0  # seconds without an answer
# What an answer may be that is no sample: no HTTP, no JSON, JSON of another form, no base64, no picture, a broken one.
_NOT_SAMPLES = (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, KeyError, IndexError, OSError, SyntaxError)
_NOT_SAMPLES += (Image.DecompressionBombError,)


class NoSamples(AtelierError):
    """The WebUI drew none; the training goes on without."""

    status = 502


class NoAnswer(NoSamples):
    """It let us wait in vain: it had better not be asked again."""


def draw_by_webui(url: str, lora: Path, samples: tuple[SampleSettings, ...], side: int) -> list[Image.Image]:
    """A picture of each sample with `lora`, which lies in the WebUI's Lora folder. NoSamples says what went wrong."""
    try:
        with httpx.Client(base_url=url, timeout=httpx.Timeout(PATIENCE, connect=10)) as client:
            _answered(client, "refresh-loras", {})
            _check_known(client, lora)
            return [_drawn(client, lora.stem, sample, side) for sample in samples]
    except (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout) as error:
        raise NoAnswer(f"{_place(url)} drew no samples: it did not answer in {PATIENCE:g} seconds. It is not asked again.") from error
    except NoSamples as error:
        raise NoSamples(f"{_place(url)} drew no samples: {error}") from error
    except _NOT_SAMPLES as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise NoSamples(f"{_place(url)} drew no samples: {reason}") from error


def _drawn(client: httpx.Client, lora: str, sample: SampleSettings, side: int) -> Image.Image:
    body: dict[str, Any] = {
        "prompt": f"{sample.prompt} <lora:{lora}:1>",
        "negative_prompt": sample.negative_prompt,
        "width": sample.width or side,
        "height": sample.height or side,
        "steps": sample.steps,
        "cfg_scale": sample.cfg_scale,
        "seed": sample.seed,
        "sampler_name": "Euler",
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
