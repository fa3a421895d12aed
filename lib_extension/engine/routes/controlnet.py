"""The routes of sd-webui-controlnet: which modules and models there are, and a module's map of a picture."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from fastapi import APIRouter
from PIL import Image

from lib_extension.engine.annotators import MODULES, find_module, module_names, numbers_of
from lib_extension.engine.answers import refused
from lib_extension.engine.bodies import refuse_nonfinite
from lib_extension.engine.routes.extras import decoded
from lib_extension.engine.scripts import UNIT_COUNT
from lib_extension.engine.server import Here
from lib_extension.pictures.png import encode_base64
from lib_extension.spec.sdapi import Detect

API_VERSION = 3

DEFAULT_MODULES = {
    "OpenPose": "openpose_full",
    "Lineart": "lineart_standard (from white bg & black line)",
    "Inpaint": "inpaint_only",
}
"""Where the extension's choice is not simply the first."""


def add_routes(routes: APIRouter) -> None:
    routes.add_api_route("/controlnet/version", version, methods=["GET"])
    routes.add_api_route("/controlnet/settings", settings, methods=["GET"])
    routes.add_api_route("/controlnet/model_list", model_list, methods=["GET"])
    routes.add_api_route("/controlnet/module_list", module_list, methods=["GET"])
    routes.add_api_route("/controlnet/control_types", control_types, methods=["GET"])
    routes.add_api_route("/controlnet/detect", detect, methods=["POST"])


async def version() -> dict[str, int]:
    return {"version": API_VERSION}


async def settings() -> dict[str, int]:
    return {"control_net_unit_count": UNIT_COUNT}


async def model_list(server: Here, update: bool = True) -> dict[str, list[str]]:
    """Looks for new files first, as the extension does by default."""
    if update:
        await server.aside(server.library.refresh)
    return {"model_list": await server.aside(lambda: [found.control_title for found in server.library.controlnets()])}


async def module_list(alias_names: bool = False) -> dict[str, Any]:
    names = {module.name: module.label if alias_names else module.name for module in MODULES}
    details = {names[module.name]: {"model_free": False, "sliders": [asdict(slider) for slider in module.sliders]} for module in MODULES}
    return {"module_list": list(names.values()), "module_detail": details}


async def control_types(server: Here) -> dict[str, Any]:
    models = await server.aside(lambda: [found.control_title for found in server.library.controlnets()])
    tags = sorted({tag for module in MODULES for tag in module.tags})
    return {"control_types": {"All": _control_type(None, models), **{tag: _control_type(tag, models) for tag in tags}}}


async def detect(body: Detect, server: Here) -> dict[str, Any]:
    """The maps of pictures. Needs no checkpoint, and does not wait for a running generation."""
    refuse_nonfinite(body)
    if body.controlnet_module not in module_names():
        raise refused(422, "Module not available")
    if not body.controlnet_input_images:
        raise refused(422, "No image selected")
    module = find_module(body.controlnet_module)
    numbers = numbers_of(
        module, body.controlnet_processor_res, body.controlnet_threshold_a, body.controlnet_threshold_b, lenient=server.lenient
    )

    def make() -> list[str]:
        pictures = [decoded(server, text, "controlnet_input_images") for text in body.controlnet_input_images]
        maps = [server.engine.annotators.map(module, np.asarray(picture.convert("RGB")), numbers) for picture in pictures]
        return [encode_base64(Image.fromarray(found)) for found in maps]

    return {"images": await server.aside(make), "info": "Success"}


def _control_type(tag: str | None, models: list[str]) -> dict[str, Any]:
    """What the extension's page offers when a kind of control is chosen: its modules, and the models whose names fit."""
    modules = [module.label for module in MODULES if tag is None or tag in module.tags or module.name == "none"]
    fitting = [model for model in models if tag is None or tag.lower() in model.lower()]
    return {
        "module_list": modules,
        "model_list": ["None", *fitting],
        "default_option": "none" if tag is None or len(modules) == 1 else DEFAULT_MODULES.get(tag, modules[1]),
        "default_model": "None" if tag is None or not fitting else fitting[0],
    }
