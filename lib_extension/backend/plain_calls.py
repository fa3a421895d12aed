"""How are the calls answered that draw nothing? Control maps, upscaled pictures, and what the engine's networks see in a picture."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from lib_extension.backend.errors import Missing, Refused, WrongAnswer
from lib_extension.backend.wire import Wire
from lib_extension.pictures.png import decode_picture, encode_png, open_picture
from lib_extension.spec.calls import ModelEmbedding, ModelMask, ModelTags
from lib_extension.spec.inventory import NOTHING, Inventory
from lib_extension.spec.sdapi import Detect, ExtraSingle
from lib_extension.stages.stage import Answer, Picture

SLACK = 8  # px that an upscaler may floor away

# What a host names in its refusal when a preprocessor's weights or packages are not there, and cannot be downloaded.
_LACKS_FILES = ("URLError", "HTTPError", "ConnectionError", "FileNotFoundError", "ImportError", "ModuleNotFoundError")


def answer_model_call(wire: Wire, call: ModelMask | ModelTags | ModelEmbedding) -> Answer:
    """By the engine's own routes. A mask in which nothing was found gives no picture."""
    if isinstance(call, ModelTags):
        return Answer(facts=_object(wire.post("/atelier-engine/v1/tags", {"image": call.image}), "tags"))
    if isinstance(call, ModelEmbedding):
        told = wire.post("/atelier-engine/v1/embedding", {"images": list(call.images)})
        return Answer(facts={"embeddings": told["embeddings"], "network": str(told.get("network", ""))})
    told = wire.post("/atelier-engine/v1/mask", {"kind": call.kind, "image": call.image, "settings": dict(call.settings)})
    facts = {name: value for name, value in told.items() if name != "mask"}
    return Answer((Picture(_png(told["mask"], "mask"), facts=facts),) if told.get("mask") else (), facts=facts)


def detect_map(wire: Wire, call: Detect, inventory: Inventory) -> Answer:
    """The maps of pictures by one preprocessor. Raises Missing where it is listed, and what it needs is not there."""
    sent = vars(call) | {"controlnet_module": inventory.module(call.controlnet_module) or call.controlnet_module}
    try:
        told = wire.post("/controlnet/detect", sent)
    except Refused as refused:
        if not isinstance(refused.answer, dict) or refused.answer.get("error") not in _LACKS_FILES:
            raise
        raise Missing(
            f'{refused} The preprocessor "{call.controlnet_module}" needs files that are not there and that could not be downloaded; '
            "put them there, name another preprocessor, or give the map as an input."
        ) from refused
    images = told.get("images") if isinstance(told, dict) else None
    if not isinstance(images, list) or len(images) != len(call.controlnet_input_images):
        raise WrongAnswer(
            f'{wire.name} made no map with "{call.controlnet_module}". Look at its console: the preprocessor\'s weights may be missing.'
        )
    return Answer(tuple(Picture(_png(text, "map")) for text in images))


def upscale_one(wire: Wire, call: ExtraSingle) -> Answer:
    """The picture enlarged. Raises WrongAnswer for another size than asked for."""
    told = wire.post("/sdapi/v1/extra-single-image", vars(call))
    text = told.get("image") if isinstance(told, dict) else None
    if not isinstance(text, str) or not text:
        raise WrongAnswer(f"{wire.name} gave no upscaled picture: the call was interrupted there. Run it again.")
    png = _png(text, "upscaled picture")
    came = open_picture(png, what="The upscaled picture").size
    wanted = _upscaled_size(call)
    if wanted is not None and any(not 0 <= asked - side < SLACK for asked, side in zip(wanted, came, strict=True)):
        raise WrongAnswer(
            f'{wire.name} was asked for {wanted} pixels by "{call.upscaler_1}" and gave {came}. Is the upscaler\'s file whole?'
        )
    return Answer((Picture(png),))


def _upscaled_size(call: ExtraSingle) -> tuple[int, int] | None:
    """None where no upscaler was asked for, or where the picture's own proportions decide."""
    if call.upscaler_1 in NOTHING:
        return None
    if call.resize_mode == 1:
        return (call.upscaling_resize_w, call.upscaling_resize_h) if call.upscaling_crop else None
    width, height = decode_picture(call.image, what="image").size
    return int(width * call.upscaling_resize), int(height * call.upscaling_resize)


def _png(text: str, what: str) -> bytes:
    """The file as it came; what is no PNG becomes one."""
    try:
        data = base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text)
    except (binascii.Error, ValueError) as error:
        raise WrongAnswer(f"The {what} that came is not base64.") from error
    return data if data.startswith(b"\x89PNG") else encode_png(open_picture(data, what=f"The {what} that came"))


def _object(told: Any, name: str) -> dict[str, Any]:
    if not isinstance(told, dict) or not isinstance(told.get(name), dict):
        raise WrongAnswer(f'The engine answered without "{name}"; is it of another version?')
    return told[name]
