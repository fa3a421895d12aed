"""What works on finished pictures: upscaling, reading infotexts, tagging. No checkpoint is needed."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from PIL import Image

from lib_extension.engine.answers import WebuiAnswer, refused
from lib_extension.engine.bodies import refuse_nonfinite
from lib_extension.engine.outputs import encoded_with
from lib_extension.engine.prompt import parse_attention
from lib_extension.engine.queue import task_id
from lib_extension.engine.server import Here, Server
from lib_extension.formats.webui_fields import webui_fields
from lib_extension.models.upscalers import upscale, upscaler_names
from lib_extension.pictures.png import decode_picture, read_text_chunks
from lib_extension.spec.errors import BadRequest, TooLarge, near_miss
from lib_extension.spec.sdapi import Extra, ExtraBatch, ExtraSingle, Interrogate, PngInfo

INTERROGATORS = ("clip", "deepdanbooru")
MOST_PIXELS = 64_000_000


def add_routes(routes: APIRouter) -> None:
    routes.add_api_route("/sdapi/v1/extra-single-image", extra_single, methods=["POST"])
    routes.add_api_route("/sdapi/v1/extra-batch-images", extra_batch, methods=["POST"])
    routes.add_api_route("/sdapi/v1/png-info", png_info, methods=["POST"])
    routes.add_api_route("/sdapi/v1/interrogate", interrogate, methods=["POST"])


@dataclass(frozen=True)
class Upscaled:
    """A picture, and what was done to it in the WebUI's words."""

    image: Image.Image
    facts: dict[str, str]

    @property
    def infotext(self) -> str:
        return ", ".join(f"{name}: {value}" for name, value in self.facts.items())


async def extra_single(body: ExtraSingle, server: Here) -> dict[str, Any]:
    done = await _in_turn(server, body, lambda: [_upscaled(decoded(server, body.image, "image"), body, server)])
    images = await _encoded(done, body, server)
    return {"html_info": _html(done), "image": images[0] if images else ""}


async def extra_batch(body: ExtraBatch, server: Here) -> dict[str, Any]:
    def make() -> list[Upscaled]:
        pictures = [decoded(server, file.data, f"imageList[{place}].data") for place, file in enumerate(body.imageList)]
        return [_upscaled(picture, body, server) for picture in pictures]

    if not body.imageList:
        raise BadRequest("imageList is empty. Send at least one picture.")
    done = await _in_turn(server, body, make)
    return {"html_info": _html(done), "images": await _encoded(done, body, server)}


async def png_info(body: PngInfo, server: Here) -> dict[str, Any]:
    def read() -> dict[str, Any]:
        chunks = read_text_chunks(decoded(server, body.image, "image"))
        infotext = chunks.pop("parameters", "")
        return {"info": infotext, "items": chunks, "parameters": webui_fields(infotext, _weighs_words)}

    return await server.aside(read)


async def interrogate(body: Interrogate, server: Here) -> dict[str, str]:
    """The WebUI's two names both mean the demo's tagger here; the caption is its tags, the surest first."""
    if body.model not in INTERROGATORS:
        raise refused(404, "Model not found")

    return {"caption": await server.aside(lambda: server.judges.caption(decoded(server, body.image, "image").convert("RGB")))}


def decoded(server: Server, text: str, what: str) -> Image.Image:
    """The picture, or what the server's mode answers to a text that is none."""
    try:
        return decode_picture(text, what=what)
    except BadRequest:
        if not server.lenient:
            raise
        raise refused(500, "Invalid encoded image") from None


async def _in_turn(server: Server, body: Extra, make: Callable[[], list[Upscaled]]) -> list[Upscaled]:
    refuse_nonfinite(body)
    _refuse_faces(body)
    for name in (body.upscaler_1, body.upscaler_2):
        _check_upscaler(server, name)
    return await server.in_turn(task_id("extras"), make)


def _upscaled(image: Image.Image, body: Extra, server: Server) -> Upscaled:
    """As the WebUI's Extras tab: one upscaler, or two blended."""
    facts: dict[str, str] = {}
    original = image
    if body.upscaler_1 != "None":
        image = _by(body.upscaler_1, original, body, server)
        facts |= _size_fact(body)
        facts["Postprocess upscaler"] = body.upscaler_1
        if body.upscaler_2 != "None" and body.extras_upscaler_2_visibility > 0:
            second = _by(body.upscaler_2, original, body, server)
            image = Image.blend(image, second.convert(image.mode), body.extras_upscaler_2_visibility)
            facts["Postprocess upscaler 2"] = body.upscaler_2
    result = image.copy()
    result.info = {name: text for name, text in original.info.items() if isinstance(text, str)}
    return Upscaled(result, facts)


def _by(name: str, image: Image.Image, body: Extra, server: Server) -> Image.Image:
    if body.resize_mode == 0:
        _refuse_huge(image.width * body.upscaling_resize, image.height * body.upscaling_resize)
        return upscale(name, image, body.upscaling_resize, server.library, server.engine.placement.device)
    width, height = body.upscaling_resize_w, body.upscaling_resize_h
    scale = max(width / image.width, height / image.height)
    _refuse_huge(image.width * scale, image.height * scale)
    larger = upscale(name, image, scale, server.library, server.engine.placement.device)
    if not body.upscaling_crop:
        return larger
    cropped = Image.new(larger.mode, (width, height))
    cropped.paste(larger, ((width - larger.width) // 2, (height - larger.height) // 2))
    return cropped


def _size_fact(body: Extra) -> dict[str, str]:
    if body.resize_mode == 1:
        return {"Postprocess upscale to": f"{body.upscaling_resize_w}x{body.upscaling_resize_h}"}
    return {"Postprocess upscale by": str(float(body.upscaling_resize))}


def _refuse_faces(body: Extra) -> None:
    if body.gfpgan_visibility > 0 or body.codeformer_visibility > 0:
        raise BadRequest("The engine has no face restoration: leave gfpgan_visibility and codeformer_visibility at 0.")
    if body.upscaling_resize <= 0 or min(body.upscaling_resize_w, body.upscaling_resize_h) < 1:
        raise BadRequest("upscaling_resize must be more than 0, upscaling_resize_w and upscaling_resize_h at least 1.")
    if not 0 <= body.extras_upscaler_2_visibility <= 1:
        raise BadRequest(f"extras_upscaler_2_visibility is {body.extras_upscaler_2_visibility}. It must be from 0 to 1.")


def _refuse_huge(width: float, height: float) -> None:
    if width < 1 or height < 1:
        raise BadRequest(f"The result would be {width:.2f}×{height:.2f} pixels. It must have one at least.")
    if width * height > MOST_PIXELS:
        raise TooLarge(f"The result would be {width:.0f}×{height:.0f} pixels; {MOST_PIXELS // 1_000_000} megapixels is the most.")


def _check_upscaler(server: Server, name: str) -> None:
    names = upscaler_names(server.library)
    if name in names:
        return
    if server.lenient:
        raise WebuiAnswer(500, "AssertionError", errors=f"could not find upscaler named {name}")
    raise BadRequest(f'There is no upscaler "{name}".{near_miss(name, names)}')


async def _encoded(done: list[Upscaled], body: Extra, server: Server) -> list[str]:
    """Pictures keep the texts that they came with, and gain what was done to them."""
    if not body.show_extras_results:
        return []
    texts = [{**each.image.info, **({"postprocessing": each.infotext} if each.infotext else {})} for each in done]
    pairs = list(zip(done, texts, strict=True))
    return await server.aside(lambda: [encoded_with(each.image, chunks) for each, chunks in pairs])


def _html(done: list[Upscaled]) -> str:
    return f"<p>{html.escape(done[-1].infotext)}</p>"


def _weighs_words(prompt: str) -> bool:
    return any(weight != 1 for _, weight in parse_attention(prompt))
