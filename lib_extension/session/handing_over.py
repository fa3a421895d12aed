"""How do finished pictures begin runs of a recipe by themselves? Each is the recipe's first picture input, in a run of its own."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from lib_extension.pictures.png import encode_png
from lib_extension.session.asked import Asked
from lib_extension.session.inputs import Words, asked_of
from lib_extension.session.session import Session
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.recipe import Recipe


def begin_with(session: Session, name: str, pictures: Sequence[Image.Image], infotexts: Sequence[str]) -> list[str]:
    """Start a run for each; their ids. NotFound, BadRequest and what preflight says."""
    file = session.recipes.get(name)
    input_name = picture_input(file.recipe)
    runs = []
    for number, image in enumerate(pictures):
        infotext = infotexts[number] if number < len(infotexts) else None
        picture = encode_png(image, infotext)
        asked = asked_of(file, Words())
        given = Asked(
            recipe=asked.recipe,
            values={**asked.values, input_name: input_name},
            pictures={**asked.pictures, input_name: picture},
        )
        run_id, _ = session.add(given)
        session.start(run_id)
        runs.append(run_id)
    return runs


def picture_input(recipe: Recipe) -> str:
    """The input that takes the picture. BadRequest for a recipe that takes none."""
    found = next((name for name, one in recipe.inputs.items() if one.type == "image"), None)
    if found is None:
        raise BadRequest(f'The recipe "{recipe.name}" takes no picture: it needs an input of the type image.')
    return found
