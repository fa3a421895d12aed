"""What is a recipe? Named pictures that come in, stages in order, and rows that fill in their variables."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lib_extension.spec.errors import BadRequest, near_miss
from lib_extension.spec.sdapi import Img2Img, Txt2Img
from lib_extension.spec.settings import Settings, field

Row = Mapping[str, str | int | float]

# What a stage fills in by itself, from the pictures that it takes.
_MADE = ("init_images", "mask", "alwayson_scripts")
_VARIABLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, kw_only=True)
class Control(Settings):
    """A picture that guides a stage through a ControlNet. The fields have the ControlNet API's names."""

    image: str = field(label="Picture", help="The name of an input, or a variable that holds one.")
    module: str = field("canny", label="Preprocessor")
    model: str = field(label="Model")
    weight: float = field(1.0, label="Weight", minimum=0, maximum=2, step=0.05)
    guidance_start: float = field(0.0, label="Starting step", minimum=0, maximum=1, step=0.01)
    guidance_end: float = field(1.0, label="Ending step", minimum=0, maximum=1, step=0.01)


@dataclass(frozen=True, kw_only=True)
class Mask(Settings):
    """Where a stage draws: the opaque part of an input, or all but that."""

    alpha_of: str = field(label="Input", help="An input, or a variable that holds one. Without a transparent ground it is cut out first.")
    invert: bool = field(False, label="Invert", help="Redraw the transparent part and keep the opaque one.")


@dataclass(frozen=True, kw_only=True)
class Stage(Settings):
    """One step of a recipe: a call of txt2img or img2img for each picture that it takes."""

    name: str = field(label="Name")
    type: Literal["txt2img", "img2img"] = field(label="Type")
    takes: str = field("", label="Takes", help="The earlier stage whose pictures go in; for img2img only.")
    scale: float = field(1.0, label="Scale", minimum=0.25, maximum=8, help="Size of the result, relative to the picture taken.")
    mask: Mask | None = field(None, label="Mask")
    controlnet: tuple[Control, ...] = field((), label="ControlNet")
    settings: dict[str, Any] = field({}, label="Settings", help="Fields of the API's body, under the API's names.")

    def check(self) -> None:
        """Refuse fields that the API does not have, and stages with nothing to start from."""
        known = _fields(Img2Img if self.type == "img2img" else Txt2Img) - set(_MADE)
        for name in self.settings:
            if name not in known:
                raise BadRequest(f'Stage "{self.name}": {self.type} has no setting "{name}".{near_miss(name, known)}')
        if self.type == "img2img" and not self.takes:
            raise BadRequest(f'Stage "{self.name}": img2img needs "takes", the stage whose pictures it redraws.')
        if self.type == "txt2img" and (self.takes or self.mask):
            raise BadRequest(f'Stage "{self.name}": txt2img takes no picture and no mask; use img2img, or controlnet.')


@dataclass(frozen=True, kw_only=True)
class Recipe(Settings):
    """A whole recipe. Text in any setting of any stage may hold {variables}, which each row fills in."""

    name: str = field(label="Name")
    title: str = field("", label="Title")
    inputs: dict[str, str] = field({}, label="Inputs", help="Name and file of each picture, from the recipe's folder.")
    rows: tuple[dict[str, Any], ...] = field(({},), label="Rows", help="The recipe is carried out once for each.")
    settings: dict[str, Any] = field({}, label="Settings of every stage")
    stages: tuple[Stage, ...] = field(label="Stages")

    def check(self) -> None:
        """Refuse names that lead nowhere, before anything runs."""
        shared = _fields(Img2Img) & _fields(Txt2Img) - set(_MADE)
        for name in self.settings:
            if name not in shared:
                raise BadRequest(f'Not every stage has the setting "{name}"; write it in the stages that do.{near_miss(name, shared)}')
        earlier: list[str] = []
        for stage in self.stages:
            if stage.name in earlier:
                raise BadRequest(f'Two stages are called "{stage.name}"; give each its own name.')
            if stage.takes and stage.takes not in earlier:
                raise BadRequest(f'Stage "{stage.name}" takes "{stage.takes}", which is no earlier stage.{near_miss(stage.takes, earlier)}')
            for row in self.rows:
                fill({**self.settings, **stage.settings}, row, stage.name)
                for used in inputs_of(stage, row):
                    if used not in self.inputs:
                        raise BadRequest(f'Stage "{stage.name}" uses "{used}", which is no input.{near_miss(used, self.inputs)}')
            earlier.append(stage.name)


def inputs_of(stage: Stage, row: Row) -> list[str]:
    """The inputs that the stage uses in this row: its controls' pictures, then its mask's."""
    named = [control.image for control in stage.controlnet] + ([stage.mask.alpha_of] if stage.mask else [])
    return [str(fill(name, row, stage.name)) for name in named]


def _fields(body: type[Img2Img] | type[Txt2Img]) -> set[str]:
    return {f.name for f in dataclasses.fields(body)}


def fill(value: Any, row: Row, stage: str) -> Any:
    """`value` with every {variable} in its texts replaced; a text that is one variable alone takes the row's value with its type."""
    if isinstance(value, Mapping):
        return {name: fill(inner, row, stage) for name, inner in value.items()}
    if isinstance(value, list):
        return [fill(inner, row, stage) for inner in value]
    if not isinstance(value, str):
        return value
    for name in _VARIABLE.findall(value):
        if name not in row:
            raise BadRequest(f'Stage "{stage}" uses {{{name}}}, and a row does not have it.{near_miss(name, row)}')
    alone = _VARIABLE.fullmatch(value)
    return row[alone[1]] if alone else _VARIABLE.sub(lambda found: str(row[found[1]]), value)
