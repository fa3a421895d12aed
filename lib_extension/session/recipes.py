"""Which recipes are there by name? The built-in ones, and own ones: a zip each, recipe and pictures in one file."""

from __future__ import annotations

import dataclasses
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib_extension.plan import RecipeFile, load_recipe_file
from lib_extension.plan.recipe_zip import pack_recipe
from lib_extension.runs.storage import disk_errors
from lib_extension.spec.errors import BadRequest, NotFound, near_miss
from lib_extension.spec.recipe import Recipe

BUILT_IN = Path(__file__).resolve().parents[1] / "recipes"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_WHAT = "The recipes' folder"


@dataclass(frozen=True)
class Listed:
    """A recipe by its name."""

    name: str
    built_in: bool
    file: Path


class Recipes:
    """The recipes that can be started by name."""

    def __init__(self, own: Path, built_in: Path = BUILT_IN) -> None:
        self._own = own
        self._built_in = built_in

    def all(self) -> list[Listed]:
        """Built-in ones first, each group by name."""
        built_in = [Listed(file.stem, True, file) for file in sorted(self._built_in.glob("*.yaml"))]
        with disk_errors(_WHAT):
            return built_in + [Listed(file.stem, False, file) for file in sorted(self._own.glob("*.zip")) if _NAME.fullmatch(file.stem)]

    def get(self, name: str) -> RecipeFile:
        """The recipe and where its pictures are. NotFound names the nearest one."""
        return load_recipe_file(self.find(name).file)

    def find(self, name: str) -> Listed:
        """Where the recipe lies."""
        listed = {one.name: one for one in reversed(self.all())}  # a built-in name stays what it is, whatever lies in the folder
        if name not in listed:
            raise NotFound(f'There is no recipe "{name}".{near_miss(name, listed)}')
        return listed[name]

    def save(self, name: str, recipe: Recipe, read_picture: Callable[[str], bytes]) -> None:
        """Keep a recipe under a name of one's own, in place of an earlier one; `read_picture` gives the pictures that it names."""
        self._check_own(name)
        data = pack_recipe(dataclasses.replace(recipe, name=name), read_picture)
        with disk_errors(_WHAT):
            self._own.mkdir(parents=True, exist_ok=True)
            aside = self._own / f".{secrets.token_hex(8)}.part"
            try:
                aside.write_bytes(data)
                aside.replace(self._own / f"{name}.zip")
            finally:
                aside.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Delete an own recipe."""
        listed = self.find(name)
        if listed.built_in:
            raise BadRequest(f'"{name}" is a built-in recipe and stays.')
        with disk_errors(_WHAT):
            listed.file.unlink(missing_ok=True)

    def _check_own(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise BadRequest(f"A recipe cannot be named {name!r:.80}: use up to 64 letters, digits, _ and -.")
        if any(one.built_in and one.name.lower() == name.lower() for one in self.all()):
            raise BadRequest(f'"{name}" is the name of a built-in recipe; choose another.')
