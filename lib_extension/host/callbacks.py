"""When does the WebUI tell us what? Each function that is named here is called by it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "atelier.py"  # in whose name it is done


def listen(
    *,
    settings: Callable[[], None],
    tabs: Callable[[], list[Any]],
    component: Callable[[Any, str], None],
    started: Callable[[Any, Any], None],
    unloaded: Callable[[], None],
) -> None:
    """`component(made, elem_id)` for each that has an id, `started(demo or None, app)`, `unloaded()` before all scripts are loaded anew."""

    def made(it: Any, **about: Any) -> None:
        if id := about.get("elem_id"):
            component(it, id)

    _add("ui_settings", settings)
    _add("ui_tabs", tabs)
    _add("after_component", made)
    _add("app_started", started)
    _add("script_unloaded", unloaded)


def _add(event: str, callback: Callable[..., Any]) -> None:
    """As on_<event> does it, which spends a tenth of a second on finding out from which file it is called, where it can be told."""
    from modules import script_callbacks  # pyright: ignore[reportMissingImports]

    listed = getattr(script_callbacks, "callback_map", {}).get(f"callbacks_{event}")
    add = getattr(script_callbacks, "add_callback", None)
    if listed is not None and add is not None and "filename" in inspect.signature(add).parameters:
        add(listed, callback, category=event, filename=str(_SCRIPT))
    else:
        getattr(script_callbacks, f"on_{event}")(callback)
