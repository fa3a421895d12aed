"""How do the samples look in the WebUI that will use the LoRA? It draws them itself, from a file in its Lora folder, over its API."""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from lib_extension.spec.errors import AtelierError
from lib_extension.spec.training.run import SampleSettings

_SECONDS = httpx.Timeout(600, connect=10)


class NoSamples(AtelierError):
    """The WebUI drew none; the training goes on without."""

    status = 502


def draw_by_webui(url: str, lora: Path, samples: tuple[SampleSettings, ...], side: int) -> list[Image.Image]:
    """A picture of each sample with `lora`, which lies in the WebUI's Lora folder. NoSamples says what went wrong."""
    try:
        with httpx.Client(base_url=url, timeout=_SECONDS) as client:
            client.post("/sdapi/v1/refresh-loras").raise_for_status()
            return [_drawn(client, lora.stem, sample, side) for sample in samples]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, IndexError, OSError, binascii.Error) as error:
        raise NoSamples(f"{url} drew no samples: {error}") from error


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
    answer = client.post("/sdapi/v1/txt2img", json=body)
    answer.raise_for_status()
    picture = Image.open(io.BytesIO(base64.b64decode(answer.json()["images"][0])))
    picture.load()
    return picture.convert("RGB")
