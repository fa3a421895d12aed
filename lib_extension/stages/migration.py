"""How is a recipe of an earlier form brought up to today's? One function a version, each to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.recipe import VERSION

Data = dict[str, Any]


def up_to_date(data: Mapping[str, Any]) -> Data:
    """The recipe in today's form, its version said. BadRequest for versions that do not exist yet."""
    version = data.get("version", _told_by_form(data))
    if type(version) is not int or version < 0:
        raise BadRequest(f"version is {version!r:.40}; it must be a whole number, such as {VERSION}.")
    if version > VERSION:
        raise BadRequest(f"version is {version}; this Atelier reads recipes up to version {VERSION}. Install a newer one.")
    current = dict(data)
    for step in _STEPS[version:]:
        current = step(current)
    return {**current, "version": VERSION}


def _told_by_form(data: Mapping[str, Any]) -> int:
    """Version 0 had no version in it, and named its stages with "name"; recipes by hand may leave the version out."""
    return 0 if data.get("stages") and _has_named_stages(data) else VERSION


def _has_named_stages(data: Mapping[str, Any]) -> bool:
    stages = data.get("stages")
    return isinstance(stages, (list, tuple)) and all(isinstance(one, Mapping) and "name" in one and "id" not in one for one in stages)


def _from_0(data: Data) -> Data:
    """Inputs were files, a stage's settings stood in `settings`, and masks were the alpha channel of an input."""
    if not _has_named_stages(data):
        raise BadRequest(f'The recipe says version 0, whose stages had a "name" and no "id". Is it one of version {VERSION}?')
    inputs = data.get("inputs", {})
    if isinstance(inputs, Mapping):
        inputs = {name: {"type": "image", "default": file} for name, file in inputs.items()}
    shared = data.get("settings", {})
    stages = [_stage_from_0(stage, shared if isinstance(shared, Mapping) else {}) for stage in data["stages"]]
    return {**data, "inputs": inputs, "stages": stages}


# What /sdapi fills in and version 0 left out; today's defaults are others.
_API_DEFAULTS = {"steps": 50}
_API_MASK_DEFAULTS = {"inpainting_fill": 0, "inpaint_full_res": True, "inpaint_full_res_padding": 0}


def _stage_from_0(stage: Mapping[str, Any], shared: Mapping[str, Any]) -> Data:
    settings, mask = stage.get("settings", {}), stage.get("mask")
    moved = {name: value for name, value in stage.items() if name not in ("name", "settings", "mask")}
    current = {**moved, "id": stage["name"], **(settings if isinstance(settings, Mapping) else {})}
    defaults: Data = dict(_API_DEFAULTS)
    if stage.get("type") == "img2img":
        defaults["denoising_strength"] = 0.75
    if isinstance(mask, Mapping):
        then = [{"invert": True}] if mask.get("invert") else []
        current |= {"type": "inpaint", "mask": {"kind": "alpha", "of": mask.get("alpha_of", ""), "soft": True, "then": then}}
        defaults |= _API_MASK_DEFAULTS
    return {**{name: value for name, value in defaults.items() if name not in shared}, **current}


_STEPS: tuple[Callable[[Data], Data], ...] = (_from_0,)  # from version 0 to 1, …
