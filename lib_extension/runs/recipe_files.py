"""How does a recipe come from its file? Read as YAML or JSON, checked, with the pictures that it names."""

from __future__ import annotations

from pathlib import Path

import yaml
from PIL import Image

from lib_extension.pictures.png import open_picture
from lib_extension.runs.small_recipe import Recipe
from lib_extension.spec.errors import BadRequest, NotFound
from lib_extension.spec.settings import from_json

BUILT_IN = Path(__file__).resolve().parents[1] / "recipes"


def load_recipe(file: Path) -> tuple[Recipe, dict[str, Image.Image]]:
    """The recipe in `file` and its input pictures, by name."""
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))  # JSON is YAML too
    except OSError as error:
        raise NotFound(f"The recipe {file.name} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadRequest(f"The recipe {file.name} is not YAML: {error}") from error
    recipe = from_json(Recipe, data)
    return recipe, {name: _read_input(file.parent / path, name) for name, path in recipe.inputs.items()}


def _read_input(file: Path, name: str) -> Image.Image:
    try:
        return open_picture(file.read_bytes(), what=f'The input "{name}"')
    except OSError as error:
        raise NotFound(f'The input "{name}" ({file.name}) cannot be read: {error.strerror}.') from error
