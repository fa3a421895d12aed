"""How do finished pictures of txt2img and img2img get into a recipe by themselves? By an accordion there, which is off at first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr  # pyright: ignore[reportMissingImports]
from PIL import Image

from lib_extension.ui.exchange import unsaved
from lib_extension.ui.residence import RESIDENCE
from lib_extension.ui.settings_page import read

FIELD = "Atelier"  # of the infotext
_BUILT_IN = Path(__file__).resolve().parents[1] / "recipes"
_log = logging.getLogger("atelier")


def draw(is_img2img: bool) -> list[Any]:
    """Receipt, switch, recipe: the arguments of the script, in this order. The receipt is for runs that ask over the API."""
    where = "img2img" if is_img2img else "txt2img"
    with gr.Accordion("Atelier", open=False, elem_id=f"{where}_atelier"):
        receipt = unsaved(gr.Textbox(value="", visible=False, label="Atelier receipt"))
        is_on = unsaved(gr.Checkbox(value=False, label="Send each finished picture to a recipe", elem_id=f"{where}_atelier_on"))
        recipe = unsaved(gr.Dropdown(_recipes(), label="Recipe", elem_id=f"{where}_atelier_recipe", allow_custom_value=True))
    return [receipt, is_on, recipe]


def _recipes() -> list[str]:
    """The names of own recipes, and of the built-in ones. One that is saved later can be typed."""
    own = sorted(file.stem for file in (read().folder / "recipes").glob("*.zip"))
    return own + sorted(file.stem for file in _BUILT_IN.glob("*.yaml"))


def sign(p: Any, receipt: object) -> None:
    """Have the infotext say which stage of which run asked."""
    if isinstance(receipt, str) and receipt:
        p.extra_generation_params[FIELD] = receipt


def hand_over(processed: Any, receipt: object, is_on: object, recipe: object) -> None:
    """Begin a run for each picture, unless a run of ours asked for them. The WebUI goes on at once."""
    if receipt or is_on is not True or not isinstance(recipe, str) or not recipe.strip():
        return
    first = int(getattr(processed, "index_of_first_image", 0))
    count = len(getattr(processed, "all_seeds", ()) or ())
    pictures = [image for image in processed.images[first : first + count] if isinstance(image, Image.Image)]
    infotexts = list(processed.infotexts[first : first + count])
    copies = [image.copy() for image in pictures]
    threading.Thread(target=_begin, args=(recipe.strip(), copies, infotexts), name="atelier hands over", daemon=True).start()


def _begin(recipe: str, pictures: Sequence[Image.Image], infotexts: Sequence[str]) -> None:
    from lib_extension.session.handing_over import begin_with

    try:
        begin_with(RESIDENCE.session(), recipe, pictures, infotexts)
    except Exception as error:  # the top of the thread: the picture itself is made and saved, whatever happens here
        _log.error("The pictures were not sent to the recipe %s: %s", recipe, error)
