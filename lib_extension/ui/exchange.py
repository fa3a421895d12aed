"""How does a picture of ours get into the WebUI's own tabs? Through hidden components that its own buttons read.

The page writes {"ticket", "picture", "mask"} into the request and clicks; what was brought is told with the same ticket; then the
page clicks the button of the tab that it is for, which the WebUI itself has wired.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import gradio as gr  # pyright: ignore[reportMissingImports]
from PIL import Image

from lib_extension.host import passing
from lib_extension.pictures.png import open_picture, read_text_chunks
from lib_extension.spec.errors import AtelierError, BadRequest, NotFound
from lib_extension.ui.residence import Residence

UPLOAD_PAIR = ("img_inpaint_base", "img_inpaint_mask")  # of img2img's "Inpaint upload": the only way in for a mask
_INFOTEXT = "parameters"


def draw(residence: Residence, foreign: Mapping[str, Any]) -> None:
    """The components; `foreign`: those of other tabs by their ids."""
    request = unsaved(gr.Textbox(elem_id="atelier_out_request", label="Atelier request"))
    told = unsaved(gr.Textbox(elem_id="atelier_out_told", label="Atelier answer"))
    exact = {"format": "png"} if "format" in inspect.signature(gr.Image.__init__).parameters else {}  # gradio 4 would lose detail
    picture = unsaved(gr.Image(elem_id="atelier_out_picture", label="Atelier picture", type="pil", interactive=False, **exact))
    infotext = unsaved(gr.Textbox(elem_id="atelier_out_infotext", label="Atelier infotext"))

    def brought(text: str) -> list[Any]:
        return _told(text, lambda asked: [_picture(residence, asked, "picture"), _infotext(residence, asked)], 2)

    unsaved(gr.Button("Bring", elem_id="atelier_out_bring")).click(brought, [request], [picture, infotext, told], show_progress=False)
    for target in passing.targets():
        passing.bind(unsaved(gr.Button(target, elem_id=f"atelier_to_{target}")), target, picture, infotext)

    pair = [foreign[id] for id in UPLOAD_PAIR if id in foreign]
    if len(pair) == len(UPLOAD_PAIR):

        def brought_both(text: str) -> list[Any]:
            return _told(text, lambda asked: [_picture(residence, asked, "picture"), _picture(residence, asked, "mask")], 2)

        unsaved(gr.Button("Bring both", elem_id="atelier_out_pair")).click(brought_both, [request], [*pair, told], show_progress=False)
        if "inpaint" in passing.targets():
            passing.bind(unsaved(gr.Button("Words", elem_id="atelier_out_words")), "inpaint", None, infotext)


def _told(text: str, bring: Any, count: int) -> list[Any]:
    """What is brought, and after it the ticket: with what went wrong, where something did."""
    asked: dict[str, Any] = {}
    try:
        asked = _asked(text)
        return [*bring(asked), json.dumps({"ticket": asked["ticket"], "problem": ""})]
    except AtelierError as error:
        return [*[gr.update() for _ in range(count)], json.dumps({"ticket": asked.get("ticket", ""), "problem": str(error)})]


def _asked(text: str) -> dict[str, Any]:
    try:
        asked = json.loads(text)
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("ticket"), str):
        raise BadRequest("The page asked for no picture.")
    return asked


def _picture(residence: Residence, asked: Mapping[str, Any], name: str) -> Image.Image:
    image = open_picture(residence.picture(_id(asked, name)), what="The picture")
    image.load()
    return image if image.mode in ("RGB", "RGBA") else image.convert("RGB")


def _infotext(residence: Residence, asked: Mapping[str, Any]) -> str:
    data = residence.picture(_id(asked, "picture"))
    return read_text_chunks(open_picture(data, what="The picture")).get(_INFOTEXT, "")


def _id(asked: Mapping[str, Any], name: str) -> str:
    id = asked.get(name)
    if not isinstance(id, str):
        raise NotFound(f"The page named no {name}.")
    return id


def unsaved(component: Any) -> Any:
    """The component, of which the WebUI should remember nothing: neither its value nor whether it is seen is a default."""
    component.do_not_save_to_config = True
    return component
