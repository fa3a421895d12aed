"""What has the user set on the WebUI's settings page? Declared there once, and read anew whenever it is needed."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECTION = ("atelier", "Atelier")


@dataclass(frozen=True)
class Option:
    """One line of the page."""

    default: Any
    label: str
    component: Any = None  # of gradio; None: what goes with the default
    arguments: Mapping[str, Any] | None = None
    info: str = ""
    is_for_restart: bool = False  # it is read when the interface is made


def add(options: Mapping[str, Option]) -> None:
    """Put them on the page, in their order. What the API must not tell or change is kept from it where the WebUI can do that."""
    from modules import shared  # pyright: ignore[reportMissingImports]

    can_restrict = "restrict_api" in inspect.signature(shared.OptionInfo.__init__).parameters
    for name, option in options.items():
        how: dict[str, Any] = {"restrict_api": True} if can_restrict else {}
        arguments = dict(option.arguments) if option.arguments else None
        made = shared.OptionInfo(option.default, option.label, option.component, arguments, section=SECTION, **how)
        if option.info:
            made = made.info(option.info)
        shared.opts.add_option(name, made.needs_reload_ui() if option.is_for_restart else made)


def value(name: str, default: Any) -> Any:
    """What is set; `default` where it is not, or is of another kind than that."""
    from modules import shared  # pyright: ignore[reportMissingImports]

    found = getattr(shared.opts, name, default)
    return found if isinstance(found, type(default)) else default


def language() -> str:
    """Of the page, such as "de_DE"; '' for English."""
    found = str(value("localization", "None"))
    return "" if found == "None" else found


def folder_or(name: str, otherwise: Path) -> Path:
    """A folder that is set, from the WebUI's own folder on where it is not absolute."""
    told = value(name, "").strip()
    return (otherwise.parent / Path(told).expanduser()).resolve() if told else otherwise
