"""What a ControlNet unit of a request is: the fields of sd-webui-controlnet, and the older names that clients still send for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field, from_json

ResizeMode = Literal["Just Resize", "Crop and Resize", "Resize and Fill"]
ControlMode = Literal["Balanced", "My prompt is more important", "ControlNet is more important"]
HrOption = Literal["Both", "Low res only", "High res only"]


@dataclass(frozen=True, kw_only=True)
class ControlNetUnit(Settings):
    """One element of alwayson_scripts.controlnet.args."""

    enabled: bool = field(False, label="Enable")
    module: str = field("none", label="Preprocessor")
    model: str = field("None", label="Model")
    weight: float = field(1.0, label="Control weight", minimum=0, maximum=2, step=0.05)
    image: str | None = field(None, label="Image", help="Base64 or data URL.")
    mask: str | None = field(None, label="Mask", help="White is the area to work in.")
    resize_mode: ResizeMode = field("Crop and Resize", label="Resize mode")
    low_vram: bool = field(False, label="Low VRAM")
    processor_res: int = field(-1, label="Preprocessor resolution", help="Pixels; below 0, the preprocessor's own.")
    threshold_a: float = field(-1, label="Threshold A", help="Below 0, the preprocessor's own.")
    threshold_b: float = field(-1, label="Threshold B", help="Below 0, the preprocessor's own.")
    guidance_start: float = field(0.0, label="Starting control step", minimum=0, maximum=1, step=0.01)
    guidance_end: float = field(1.0, label="Ending control step", minimum=0, maximum=1, step=0.01)
    pixel_perfect: bool = field(False, label="Pixel perfect")
    control_mode: ControlMode = field("Balanced", label="Control mode")
    hr_option: HrOption = field("Both", label="Hires fix", help="Which of the two passes the unit guides.")
    inpaint_crop_input_image: bool = field(True, label="Crop the image to the inpaint area")
    save_detected_map: bool = field(True, label="Send the map along")
    advanced_weighting: list[float] | None = field(None, label="Weight of each layer", help="13 for SD 1.5, 10 for SDXL.")
    effective_region_mask: str | None = field(None, label="Area that the unit guides")

    def check(self) -> None:
        if self.guidance_start > self.guidance_end:
            raise BadRequest(f"ControlNet: guidance_start {self.guidance_start:g} is after guidance_end {self.guidance_end:g}.")


@dataclass(frozen=True)
class ReadUnits:
    """The ControlNet units of a request, and the names in them that mean nothing."""

    units: tuple[ControlNetUnit, ...]
    unknown: tuple[str, ...]


def read_units(alwayson_scripts: Mapping[str, Any]) -> ReadUnits:
    """The units among a request's always-on scripts, disabled ones too. BadRequest names the unit, the field and the value."""
    units: list[ControlNetUnit] = []
    unknown: dict[str, None] = {}
    for script, body in alwayson_scripts.items():
        if script.lower() != "controlnet":
            continue
        args = body.get("args", []) if isinstance(body, Mapping) else None
        if not isinstance(args, list):
            raise BadRequest('alwayson_scripts.controlnet must be {"args": [unit, unit, ...]}.')
        for sent in args:
            where = f"ControlNet unit {len(units)}"
            if not isinstance(sent, Mapping):
                raise BadRequest(f"{where} must be an object with fields such as module, model and image.")
            values = _in_current_terms(dict(sent), where)
            known = {name: value for name, value in values.items() if name in _KNOWN}
            unknown |= dict.fromkeys(name for name in values if name not in _KNOWN)
            units.append(from_json(ControlNetUnit, known, where))
    return ReadUnits(tuple(units), tuple(unknown))


_KNOWN = {f.name: f.default for f in dataclasses.fields(ControlNetUnit)}

# From earlier versions of the ControlNet extension, and from Forge.
_OLD_NAMES = {"guidance": "guidance_end", "lowvram": "low_vram", "input_image": "image", "mask_image": "mask"}
_OLD_RESIZE_MODES = {
    "Inner Fit (Scale to Fit)": "Crop and Resize",
    "Scale to Fit (Inner Fit)": "Crop and Resize",
    "Outer Fit (Shrink to Fit)": "Resize and Fill",
    "Envelope (Outer Fit)": "Resize and Fill",
}
_NUMBERED = {"resize_mode": get_args(ResizeMode), "control_mode": get_args(ControlMode)}


def _in_current_terms(values: dict[str, Any], where: str) -> dict[str, Any]:
    """The same unit with today's names and values; a null means the default."""
    for old, new in _OLD_NAMES.items():
        if values.get(old) is not None and values.get(new) is not None:
            raise BadRequest(f"{where} has both {new} and {old}, which is the old name for it. Send {new} only.")
        if old in values:
            values[new] = values.get(new) if values[old] is None else values[old]
            del values[old]
    for name, choices in _NUMBERED.items():
        number = values.get(name)
        if type(number) is int and 0 <= number < len(choices):
            values[name] = choices[number]
    if isinstance(values.get("resize_mode"), str):
        values["resize_mode"] = _OLD_RESIZE_MODES.get(values["resize_mode"], values["resize_mode"])
    values |= _image_and_mask(values, where)
    return {name: _KNOWN.get(name) if value is None else value for name, value in values.items()}


def _image_and_mask(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """`image` may hold its mask: {"image": …, "mask": …}, [image, mask], or a list of one such object."""
    image = values.get("image")
    if isinstance(image, list) and len(image) == 1 and isinstance(image[0], Mapping):
        image = image[0]
    if isinstance(image, Mapping):
        return {"image": image.get("image"), "mask": image.get("mask") or values.get("mask")}
    if isinstance(image, list):
        if len(image) != 2:
            raise BadRequest(f"{where}.image is a list of {len(image)}; one picture, or [picture, mask], can be used.")
        return {"image": image[0], "mask": image[1]}
    return {}
