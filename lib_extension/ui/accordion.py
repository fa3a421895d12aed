"""How do finished pictures of txt2img and img2img get into a recipe by themselves? By an accordion there, which is off at first."""

from __future__ import annotations

import logging
import threading
import warnings
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr  # pyright: ignore[reportMissingImports]
from PIL import Image

from lib_extension.spec.errors import AtelierError
from lib_extension.ui.exchange import unsaved
from lib_extension.ui.residence import RESIDENCE
from lib_extension.ui.settings_page import read

_BUILT_IN = Path(__file__).resolve().parents[1] / "recipes"
_PATIENCE = 5.0  # seconds; what preflight needs is known long before
_log = logging.getLogger("atelier")
_untold: deque[str] = deque(maxlen=4)  # what went wrong; what comes to light late is told with the next picture


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


def hand_over(processed: Any, receipt: object, is_on: object, recipe: object) -> None:
    """Begin a run for each picture, unless a run of ours asked for them. The WebUI goes on soon: only a refusal is waited for."""
    if receipt or is_on is not True:
        return
    if isinstance(recipe, str) and recipe.strip():
        first = int(getattr(processed, "index_of_first_image", 0))
        count = len(getattr(processed, "all_seeds", ()) or ())
        copies = [image.copy() for image in processed.images[first : first + count] if isinstance(image, Image.Image)]
        infotexts = list(processed.infotexts[first : first + count])
        is_known = threading.Event()
        given = (recipe.strip(), copies, infotexts, is_known)
        # Not here: what a run asks this WebUI for must wait until it has let go of the call that it is in.
        threading.Thread(target=_begin, args=given, name="atelier hands over", daemon=True).start()
        is_known.wait(_PATIENCE)
    else:
        _untold.append("No recipe is chosen in the accordion Atelier: the picture was sent to none.")
    while _untold:
        _tell(processed, _untold.popleft())


def _begin(recipe: str, pictures: Sequence[Image.Image], infotexts: Sequence[str], is_known: threading.Event) -> None:
    """`is_known` is set when it is known whether the recipe takes them, as far as that is seen without asking a backend."""
    from lib_extension.session.handing_over import begin, wanted_runs

    try:
        session = RESIDENCE.session()
        wanted = wanted_runs(session, recipe, pictures, infotexts)
        is_known.set()
        begin(session, wanted)
    except AtelierError as error:
        _log.warning("The recipe %s did not take the pictures: %s", recipe, error)
        _untold.append(f'Atelier: the recipe "{recipe}" did not take the picture. {error}')
    except Exception:  # the top of the thread: the picture itself is made and saved, whatever happens here
        _log.exception("The pictures were not sent to the recipe %s", recipe)
        _untold.append(f'Atelier failed to send the picture to the recipe "{recipe}"; the log says where.')
    finally:
        is_known.set()


def _tell(processed: Any, problem: str) -> None:
    """To the person: beneath the pictures, and in a corner of the page where this gradio can do so from here."""
    processed.comments = f"{getattr(processed, 'comments', None) or ''}{problem}\n"
    if warning := getattr(gr, "Warning", None):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where a WebUI works in a thread of its own, gradio knows no page there
            warning(problem)
