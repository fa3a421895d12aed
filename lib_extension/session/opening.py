"""Which recipe is in a file that somebody drops? A picture's own, with all that made it; a WebUI picture's settings as a recipe of one
stage; or a recipe file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extension.formats.infotext import parse_infotext
from lib_extension.pictures.file_texts import PARAMETERS, kind_of
from lib_extension.pictures.png import open_picture, read_text_chunks
from lib_extension.plan.folders import Folder
from lib_extension.plan.recipe_files import RecipeFile, read_recipe_file
from lib_extension.runs.blobs import Blobs
from lib_extension.session.editing import Editing, Told, with_pictures
from lib_extension.session.recipe_text import as_recipe
from lib_extension.session.restoring import Restorer
from lib_extension.spec.errors import BadFile, NotFound
from lib_extension.spec.recipe import Recipe
from lib_extension.spec.settings import to_json
from lib_extension.stages import load_recipe
from lib_extension.stages.from_infotext import stage_from_infotext

_ZIP = b"PK"
_WHAT = "The file"
_INFOTEXT = re.compile(rb"(?m)^Steps: \d+, ")  # the line of settings, which no recipe has


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What somebody can go on with."""

    recipe: Told  # pictures stand in it by their ids
    stage: str = ""  # that made the picture
    run: str = ""  # that it was made in, where that is known here
    told_by: str = ""
    notice: str = ""  # what the recipe does not say of how the picture was made


class Opener:
    """Reads such files, with a home's help."""

    def __init__(self, restorer: Restorer, editing: Editing, blobs: Blobs) -> None:
        self._restorer = restorer
        self._editing = editing
        self._blobs = blobs

    def open(self, data: bytes) -> Opened:
        """The recipe in a picture, zip, JSON or YAML text, or infotext. NotFound for a picture that tells nothing, BadFile else."""
        if data.startswith(_ZIP):
            return self._of_recipe(read_recipe_file(data, "recipe.zip", Folder(Path())))
        if kind_of(data):
            return self._of_picture(data)
        if _INFOTEXT.search(data):
            return self._of_infotext(data.decode("utf-8", "replace"), "the text")
        suffix = "json" if data.lstrip()[:1] == b"{" else "yaml"
        return self._of_recipe(read_recipe_file(data, f"recipe.{suffix}", _NoFiles()))

    def _of_recipe(self, file: RecipeFile) -> Opened:
        return Opened(recipe=self._editing.of_file(file), told_by="the recipe itself")

    def _of_picture(self, data: bytes) -> Opened:
        try:
            found = self._restorer.of_data(data, "The picture")
        except NotFound:
            texts = read_text_chunks(open_picture(data, what="The picture"))
            return self._of_infotext(texts.get(PARAMETERS, ""), "the picture's infotext")
        asked = self._restorer.asked(found.lineage)
        recipe = with_pictures(as_recipe(asked), lambda name: self._identified(asked.pictures, name))
        runs = self._restorer.runs_of(found.lineage)
        return Opened(recipe=to_json(recipe), stage=found.lineage.stage, run=runs[0] if runs else "", told_by=found.where)

    def _identified(self, pictures: Mapping[str, bytes | str], name: str) -> str:
        """The id of a picture that the recipe names; '' where it is not stored here, to be chosen anew."""
        picture = pictures.get(name, "")
        return picture if isinstance(picture, str) else self._blobs.put(picture)

    def _of_infotext(self, text: str, told_by: str) -> Opened:
        """What a WebUI wrote into a picture: it says how it was drawn, not what it was drawn from."""
        fields = parse_infotext(text)
        if "Steps" not in fields:
            raise NotFound("The picture tells neither its recipe nor how a WebUI made it. Was its information taken out?")
        stage, left = stage_from_infotext(fields)
        recipe = Recipe(name="picture", title="As a picture was made", stages=(stage,))
        load_recipe(to_json(recipe))
        return Opened(recipe=to_json(recipe), stage=str(stage["id"]), told_by=told_by, notice=left)


class _NoFiles:
    """Of a text without a folder."""

    def read(self, name: str, most: int) -> bytes:
        """Nothing is there."""
        raise BadFile(f'{_WHAT} names the file "{name}", which is not in it. Export the recipe as a zip, which holds its pictures.')


def opened_told(opened: Opened) -> dict[str, Any]:
    """As JSON, in the form of a draft."""
    told = {field.name: getattr(opened, field.name) for field in dataclasses.fields(opened)}
    return {**told, "inputs": {}, "base": ""}
