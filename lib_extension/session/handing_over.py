"""How do finished pictures begin runs of a recipe by themselves? Each is the recipe's first picture input, in a run of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from PIL import Image

from lib_extension.pictures.png import encode_png
from lib_extension.session.asked import Asked
from lib_extension.session.inputs import Words, asked_of
from lib_extension.session.outlook import PreflightRefused
from lib_extension.session.session import Session
from lib_extension.spec.errors import AtelierError, BadRequest
from lib_extension.spec.recipe import Recipe

_PICTURE = "handed-over.png"  # as what goes in is named


def wanted_runs(session: Session, name: str, pictures: Sequence[Image.Image], infotexts: Sequence[str]) -> list[Asked]:
    """What is to run, one for each picture. NotFound, BadRequest and what preflight says by what backends had; none of them is asked."""
    file = session.recipes.get(name)
    input_name = picture_input(file.recipe)
    wanted = []
    for number, image in enumerate(pictures):
        infotext = infotexts[number] if number < len(infotexts) else None
        picture = encode_png(image, infotext)
        asked = asked_of(file, Words())
        wanted.append(dataclasses.replace(asked, **_given(asked, input_name), pictures={**asked.pictures, _PICTURE: picture}))
    outlook = session.outlook(wanted[0]) if wanted else None
    if outlook and outlook.errors:
        raise PreflightRefused(outlook.findings)
    return wanted


def _given(asked: Asked, name: str) -> dict[str, Any]:
    """The input of that name set to the picture: in place of all rows, where each has a picture of its own there."""
    rows = asked.recipe.rows
    if not rows or not all(name in row for row in rows):
        return {"values": {**asked.values, name: _PICTURE}}
    # What rows say of their own picture, such as its name, is not so of this one; other variables are what the stages need.
    others = {other: value for other, value in rows[0].items() if other not in asked.recipe.inputs}
    return {"rows": ({**others, name: _PICTURE},)}


def begin(session: Session, wanted: Sequence[Asked]) -> list[str]:
    """Start them; their ids. One that preflight refuses by what backends have now stands among the runs as failed, and says why."""
    runs = []
    for asked in wanted:
        try:
            run_id, _ = session.add(asked)
        except AtelierError as error:
            run_id = session.runner.add(asked.whole, asked.values, asked.pictures)
            session.ledger.runs.set_state(run_id, "failed", str(error))
        else:
            session.start(run_id)
        runs.append(run_id)
    return runs


def picture_input(recipe: Recipe) -> str:
    """The input that takes the picture. BadRequest for a recipe that takes none."""
    found = next((name for name, one in recipe.inputs.items() if one.type == "image"), None)
    if found is None:
        raise BadRequest(f'The recipe "{recipe.name}" takes no picture: it needs an input of the type image.')
    return found
