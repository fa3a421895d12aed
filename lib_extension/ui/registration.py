"""What does the WebUI get from us, and when? Settings, the tab, the routes; and we are told when it loads everything anew."""

from __future__ import annotations

from typing import Any

from lib_extension.api.ui_files import UiFiles
from lib_extension.host import callbacks, facts
from lib_extension.ui import settings_page, tab
from lib_extension.ui.entrance import Entrance
from lib_extension.ui.exchange import UPLOAD_PAIR
from lib_extension.ui.residence import RESIDENCE


def register() -> None:
    """Called each time that the WebUI loads its scripts."""
    foreign: dict[str, Any] = {}
    files = UiFiles()  # one, as page and routes must be of one version

    def component(made: Any, id: str) -> None:
        if id in UPLOAD_PAIR:
            foreign[id] = made

    callbacks.listen(
        settings=settings_page.add,
        tabs=lambda: tab.make(RESIDENCE, files, foreign),
        component=component,
        started=lambda page, app: _started(page, app, files),
        unloaded=RESIDENCE.move_out,
    )


def _started(page: Any, app: Any, files: UiFiles) -> None:
    """`page` is None with --nowebui."""
    app.router.routes.insert(0, Entrance(RESIDENCE, files, app))
    _keep_from_gradio(page)
    RESIDENCE.move_in(app)


def _keep_from_gradio(page: Any) -> None:
    """gradio serves every file below the WebUI's folder to whoever sees the page; not those of ours, which our routes guard."""
    blocked = getattr(page, "blocked_paths", None)
    folder = settings_page.read().folder
    if isinstance(blocked, list) and facts.data_folder() in folder.parents and str(folder) not in blocked:
        blocked.append(str(folder))
