"""What can be set on the WebUI's settings page, and what is set there?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr  # pyright: ignore[reportMissingImports]

from lib_extension.host import facts, options
from lib_extension.host.options import Option

FINAL, EVERY, NOTHING = "What a run ends with", "Every picture that is drawn", "Nothing"
_FOLDER, _OWN, _MORE = "atelier_folder", "atelier_use_webui", "atelier_backends"
_SAVE, _PRIVATE, _DISK = "atelier_save", "atelier_private", "atelier_disk"
_WORKER, _TORCH = "atelier_worker", "atelier_torch_index"
_MOST_DISK = 2000  # gigabytes

_OPTIONS = {
    _FOLDER: Option("", "Folder of runs, pictures and recipes", info="empty: atelier, in the WebUI's data folder", is_for_restart=True),
    _OWN: Option(True, "Draw with this WebUI", is_for_restart=True),
    _MORE: Option(
        "",
        "Other backends, one a line",
        gr.Textbox,
        {"lines": 3},
        "http://host:7860, http://user:password@host:7860, or engine:MODEL for the embedded engine",
        is_for_restart=True,
    ),
    _SAVE: Option(FINAL, "Saved in the WebUI's own output folders as well", gr.Radio, {"choices": [FINAL, EVERY, NOTHING]}),
    _PRIVATE: Option(False, "Leave out of files how they were made"),
    _DISK: Option(
        0,
        "Delete the oldest runs when all take more than so many gigabytes",
        gr.Slider,
        {"minimum": 0, "maximum": _MOST_DISK, "step": 1},
        "0: never; pinned runs and the files in output folders stay",
    ),
    _WORKER: Option("", "Folder of the worker's environment", info="empty: .venv, in the extension's folder", is_for_restart=True),
    _TORCH: Option(
        "",
        "Index that torch is installed from",
        info="a URL, such as of a mirror; empty: the usual one. The page Jobs can choose a build",
        is_for_restart=True,
    ),
}


@dataclass(frozen=True)
class Chosen:
    """What is set."""

    folder: Path
    backends: tuple[str, ...]
    save: str
    is_private: bool
    most_bytes: int  # 0: no limit
    worker: Path | None  # None: where it is by itself
    torch_index: str  # '': the usual one


def add() -> None:
    """Put the options on the page."""
    options.add(_OPTIONS)


def read() -> Chosen:
    """What is set now."""
    more = [line.strip() for line in options.value(_MORE, "").splitlines() if line.strip()]
    own = ["webui"] if options.value(_OWN, True) or not more else []
    return Chosen(
        folder=options.folder_or(_FOLDER, facts.data_folder() / "atelier"),
        backends=tuple(dict.fromkeys([*own, *more])),
        save=options.value(_SAVE, FINAL),
        is_private=options.value(_PRIVATE, False),
        most_bytes=int(options.value(_DISK, 0)) * 10**9,
        worker=options.folder_or(_WORKER, facts.data_folder() / "worker") if options.value(_WORKER, "").strip() else None,
        torch_index=options.value(_TORCH, "").strip(),
    )
