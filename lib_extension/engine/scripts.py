"""Which scripts may a request name? The WebUI's lists have them; this engine has ControlNet, and what needs no code of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib_extension.engine.answers import refused
from lib_extension.spec.controlnet import ControlNetUnit
from lib_extension.spec.settings import to_json

UNIT_COUNT = 3

ALWAYS_ON = ("controlnet", "sampler", "seed")
"""The WebUI's own "sampler" and "seed" are user interface only: through the API their arguments change nothing there either."""

SELECTABLE: tuple[str, ...] = ()

WEBUI_SELECTABLE = frozenset(
    {
        "prompt matrix",
        "prompts from file or textbox",
        "x/y/z plot",
        "controlnet m2m",
        "img2img alternative test",
        "loopback",
        "outpainting mk2",
        "poor man's outpainting",
        "sd upscale",
    }
)


def check_scripts(script_name: str | None, alwayson_scripts: Mapping[str, Any]) -> None:
    """Raises what the WebUI answers to names that it does not have."""
    if script_name and script_name.lower() not in SELECTABLE:
        raise refused(422, f"Script '{script_name}' not found")
    for name in alwayson_scripts:
        if name.lower() in WEBUI_SELECTABLE:
            raise refused(422, "Cannot have a selectable script in the always on scripts params")
        if name.lower() not in ALWAYS_ON:
            raise refused(422, f"Script '{name}' not found")


def script_info() -> list[dict[str, Any]]:
    """GET script-info: each script for each of the two tabs, with the arguments that it takes."""
    args = {"controlnet": [_argument("", to_json(ControlNetUnit()))] * UNIT_COUNT}
    return [
        {"name": name, "is_alwayson": name in ALWAYS_ON, "is_img2img": is_img2img, "args": args.get(name, [])}
        for is_img2img in (False, True)
        for name in (*SELECTABLE, *ALWAYS_ON)
    ]


def _argument(label: str, value: Any) -> dict[str, Any]:
    return {"label": label, "value": value, "minimum": None, "maximum": None, "step": None, "choices": None}
