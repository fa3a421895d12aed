"""What does gradio hold of the tab? A place for our own interface, the prompt boxes that other extensions look for, and the exchange."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr  # pyright: ignore[reportMissingImports]

from lib_extension.api.ui_files import UiFiles
from lib_extension.host import facts
from lib_extension.ui import exchange
from lib_extension.ui.residence import Residence

TITLE, ID = "Atelier", "atelier"
_WAIT = "Atelier is being loaded."
_ASKS = "Your browser asks for the name and the password of --api-auth."


def make(residence: Residence, files: UiFiles, foreign: Mapping[str, Any]) -> list[tuple[Any, str, str]]:
    """What on_ui_tabs wants. `foreign`: components of other tabs by their ids."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        gr.HTML(_root(files.version))
        with gr.Group(elem_id="atelier_host", elem_classes=["atelier-host"]):
            for name, label in (("atelier_prompt", "Prompt"), ("atelier_neg_prompt", "Negative prompt")):
                exchange.unsaved(gr.Textbox(label=label, elem_id=name, elem_classes=["prompt"], lines=2, show_label=True))
            exchange.draw(residence, foreign)
    return [(blocks, TITLE, ID)]


def _root(version: str) -> str:
    """Where --api-auth is all that there is, the browser asks for its pair: not before the tab is looked at."""
    asks = bool(facts.credentials())
    told = {"host": "webui", "modules": f"atelier/v1/ui/{version}/main.mjs", "when": "shown" if asks else "loaded"}
    data = " ".join(f'data-{name}="{escape(value)}"' for name, value in told.items())
    return f'<div id="atelier_root" class="atelier" {data}><p role="status">{_ASKS if asks else _WAIT}</p></div>'
