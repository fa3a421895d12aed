"""What is a recipe? Named inputs, stages in order, rows and axes that fill in their variables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from lib_extension.spec.errors import BadRequest, near_miss
from lib_extension.spec.settings import Settings, field

VERSION = 1  # of the recipe's form; stages.load_recipe brings older ones up to it

InputType = Literal["image", "mask", "text", "number", "choice", "lora", "checkpoint"]
PICTURES = ("image", "mask")  # the input types whose value is a file

BESIDE_INPUTS = ("rows", "axes", "confirm")  # what a request that starts a recipe may say beside the values of its inputs

VARIABLE = re.compile(r"(\{)?\{([A-Za-z_][A-Za-z0-9_-]*)\}(?(1)\})")  # {name}; {{name}} stands for the text {name}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, kw_only=True)
class Input(Settings):
    """A value that a recipe asks for by name. {name} stands for it in any text; pictures are taken by their name."""

    type: InputType = field(label="Type")
    label: str = field("", label="Label")
    help: str = field("", label="Help")
    default: Any = field(None, label="Default", help="For image and mask, a file from the recipe's folder.")
    optional: bool = field(False, label="Optional", help="Without a value, stages and parts of stages that name it are left out.")
    choices: tuple[str, ...] = field((), label="Choices")
    minimum: float | None = field(None, label="Minimum")
    maximum: float | None = field(None, label="Maximum")

    def check(self) -> None:
        """Refuse choices without choices, and ranges that hold nothing."""
        if (self.type == "choice") != bool(self.choices):
            raise BadRequest(f'An input of type "{self.type}" {"needs" if self.type == "choice" else "has no"} "choices".')
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise BadRequest(f"An input's minimum {self.minimum:g} is above its maximum {self.maximum:g}.")


@dataclass(frozen=True, kw_only=True)
class Recipe(Settings):
    """A whole recipe.

    A row's or an axis' key is a variable, which {name} stands for in any text of any stage, or the path of a field
    (`stages.refine.denoising_strength`). Rows are zipped (each is one item), axes are multiplied with them and with each other.
    """

    version: int = field(VERSION, label="Version", minimum=1)
    name: str = field(label="Name")
    title: str = field("", label="Title")
    about: str = field("", label="About", multiline=True)
    inputs: dict[str, Input] = field({}, label="Inputs")
    settings: dict[str, Any] = field({}, label="Settings of every stage", help="Each stage takes those of them that it has.")
    rows: tuple[dict[str, Any], ...] = field((), label="Rows")
    rows_file: str = field("", label="Rows from a file", help="A CSV or JSON file from the recipe's folder; its rows follow the others.")
    axes: dict[str, list[Any]] = field({}, label="Axes")
    stages: tuple[dict[str, Any], ...] = field(label="Stages", help="Each with an id, a type, and its type's fields.")

    def check(self) -> None:
        """Refuse names that cannot be referred to, and names that mean two things."""
        seen: dict[str, str] = {}
        for kind, name in [("input", name) for name in self.inputs] + [("stage", str(stage.get("id", ""))) for stage in self.stages]:
            if not _NAME.fullmatch(name):
                raise BadRequest(f'The {kind} "{name}" needs a name of letters, digits, _ and -, beginning with a letter.')
            if kind == "input" and name in BESIDE_INPUTS:
                raise BadRequest(f'An input cannot be named "{name}", which means something else where runs are started; call it another.')
            if name in seen:
                raise BadRequest(f'"{name}" is the name of a {seen[name]} and of a {kind}; give each its own.')
            seen[name] = kind
        for axis, values in self.axes.items():
            if not values:
                raise BadRequest(f'The axis "{axis}" has no values; give it some or leave it out.')
        stages = [name for name, kind in seen.items() if kind == "stage"]
        for path in [*self.axes, *{key for row in self.rows for key in row}]:
            parts = path.split(".")
            if len(parts) > 1 and (parts[0] != "stages" or parts[1] not in stages):
                raise BadRequest(f'"{path}" is no path of a stage, such as stages.refine.steps.{near_miss(parts[1], stages)}')
