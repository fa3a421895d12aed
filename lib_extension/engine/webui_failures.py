"""Where does the WebUI itself answer an error? Lenient answers the same one; what it lets pass, lenient lets pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from lib_extension.engine.annotators import module_names
from lib_extension.engine.answers import WebuiAnswer, refused
from lib_extension.engine.routes.listing import LATENT_MODES
from lib_extension.engine.server import Server
from lib_extension.models.upscalers import upscaler_names
from lib_extension.pictures.png import decode_picture
from lib_extension.spec.controlnet import ControlMode, ResizeMode
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.sdapi import Generation, Img2Img, Txt2Img

KERNEL = "Kernel size: (3 x 3). Kernel size can't be greater than actual input size"

ENUMS = {"resize_mode": ("ResizeMode", get_args(ResizeMode)), "control_mode": ("ControlMode", get_args(ControlMode))}


def fail_as_webui(body: Generation, server: Server) -> None:
    """Raises the WebUI's answer to a request that stops it, in the order in which it would meet the faults."""
    if isinstance(body, Img2Img):
        _init_images(body)
    _controlnet(body.alwayson_scripts)
    if body.batch_size == 0 or body.n_iter == 0:
        raise WebuiAnswer(500, "IndexError", errors="list index out of range")
    if body.steps == 0:
        raise WebuiAnswer(500, "ZeroDivisionError", errors="integer division or modulo by zero")
    if min(body.width, body.height) in range(8):
        sizes = f"({body.height // 8 + 2} x {body.width // 8 + 2})"
        raise WebuiAnswer(500, "RuntimeError", errors=f"Calculated padded input size per channel: {sizes}. {KERNEL}")
    if isinstance(body, Txt2Img) and body.enable_hr and body.hr_upscaler not in (None, *LATENT_MODES, *upscaler_names(server.library)):
        raise WebuiAnswer(500, "Exception", errors=f"could not find upscaler named {body.hr_upscaler}")


def _init_images(body: Img2Img) -> None:
    if not body.init_images:
        raise refused(404, "Init image not found")
    for text in (*body.init_images, *([body.mask] if body.mask else [])):
        if text.startswith(("http://", "https://")):
            raise refused(500, "Request to local resource not allowed")
        try:
            decode_picture(text, what="init_images")
        except BadRequest:
            raise refused(500, "Invalid encoded image") from None


def _controlnet(scripts: Mapping[str, Any]) -> None:
    for name, script in scripts.items():
        units = script.get("args", []) if name.lower() == "controlnet" and isinstance(script, Mapping) else []
        for unit in units if isinstance(units, list) else []:
            if isinstance(unit, Mapping):
                _unit(unit)


def _unit(unit: Mapping[str, Any]) -> None:
    module = unit.get("module") or "none"
    if module not in module_names():
        raise _invalid_unit("module", f"module({module}) not found in supported modules.")
    for name, (kind, choices) in ENUMS.items():
        value = unit.get(name)
        if isinstance(value, str) and value not in choices:
            raise _invalid_unit(name, f"{value!r} is not a valid {kind}")


def _invalid_unit(field: str, message: str) -> WebuiAnswer:
    text = f"1 validation error for ControlNetUnit\n{field}\n  {message} (type=value_error)"
    return WebuiAnswer(500, "ValidationError", errors=text)
