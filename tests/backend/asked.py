"""What the tests ask backends for, and the backends themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PIL import Image, ImageDraw

from lib_extension.backend.asgi import Asgi, AsgiTransport
from lib_extension.backend.backend import Backend
from lib_extension.backend.connection import Connection
from lib_extension.pictures.png import encode_base64
from lib_extension.spec.sdapi import Img2Img, Txt2Img

PLAIN = Txt2Img(
    prompt="a mug",
    seed=5,
    subseed=5,
    sampler_name="Euler",
    scheduler="Automatic",
    steps=2,
    width=64,
    height=64,
    do_not_save_grid=True,
    override_settings={"CLIP_stop_at_last_layers": 1, "sd_vae": "Automatic"},
)


OPENED: list[Backend] = []  # closed by conftest.py when a test ends


def backend_over(app: Asgi, auth: tuple[str, str] | None = None) -> Backend:
    """A backend behind a transport of this process."""
    OPENED.append(Backend("http://webui", lambda: Connection("http://webui", AsgiTransport(app), auth)))
    return OPENED[-1]


def asking(**changes: Any) -> Txt2Img:
    """PLAIN with changes."""
    return replace(PLAIN, **changes)


def redrawing(**changes: Any) -> Img2Img:
    """img2img of a drawing with a mask."""
    shared = {name: value for name, value in vars(PLAIN).items() if name not in vars(Txt2Img()).keys() - vars(Img2Img()).keys()}
    return Img2Img(**{**shared, "denoising_strength": 0.5, "init_images": [drawing()], **changes})


def unit(**changes: Any) -> dict[str, Any]:
    """A ControlNet unit, as the stages make it."""
    return {"enabled": True, "module": "canny", "model": "tiny_cn_canny [40c91a04]", "image": drawing(), **changes}


def guided_by(*units: dict[str, Any]) -> dict[str, Any]:
    """alwayson_scripts with these units."""
    return {"controlnet": {"args": list(units)}}


def drawing(size: tuple[int, int] = (64, 64), mode: str = "RGB") -> str:
    """Base64 of a square on another ground."""
    image = Image.new(mode, size)
    ImageDraw.Draw(image).rectangle((16, 16, 40, 40), fill="white")
    return encode_base64(image)


def blank_mask(value: int = 0) -> str:
    """Base64 of a mask of one value."""
    return encode_base64(Image.new("L", (64, 64), value))
