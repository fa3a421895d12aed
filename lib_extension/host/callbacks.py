"""When does the WebUI tell us what? Each function that is named here is called by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def listen(
    *,
    settings: Callable[[], None],
    tabs: Callable[[], list[Any]],
    component: Callable[[Any, str], None],
    started: Callable[[Any, Any], None],
    unloaded: Callable[[], None],
) -> None:
    """`component(made, elem_id)` for each that has an id, `started(demo or None, app)`, `unloaded()` before all scripts are loaded anew."""
    from modules import script_callbacks  # pyright: ignore[reportMissingImports]

    def made(it: Any, **about: Any) -> None:
        if id := about.get("elem_id"):
            component(it, id)

    script_callbacks.on_ui_settings(settings)
    script_callbacks.on_ui_tabs(tabs)
    script_callbacks.on_after_component(made)
    script_callbacks.on_app_started(started)
    script_callbacks.on_script_unloaded(unloaded)
