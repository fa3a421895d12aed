"""What kind of WebUI is this, where does it keep its files, and whom does it let in? Found by what is there, never by a version."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

Kind = Literal["a1111", "forge", "reforge"]


def kind() -> Kind:
    """Forge has a canvas of its own; reForge has Forge's additions without it."""
    if importlib.util.find_spec("modules_forge") is None:
        return "a1111"
    return "forge" if importlib.util.find_spec("modules_forge.forge_canvas") is not None else "reforge"


def data_folder() -> Path:
    """Where the WebUI keeps what its user makes: its own folder, or that of --data-dir."""
    from modules import paths  # pyright: ignore[reportMissingImports]

    return Path(paths.data_path).resolve()


def models_folder() -> Path:
    """Its models, wherever --models-dir or --data-dir put them."""
    from modules import paths  # pyright: ignore[reportMissingImports]

    return Path(paths.models_path).resolve()


def named_folders() -> dict[str, tuple[Path, ...]]:
    """Folders of LoRAs and checkpoints that flags name, which count before those below models_folder()."""
    flags = {"loras": "lora_dir", "checkpoints": "ckpt_dir"}
    return {kind: (Path(str(named)).resolve(),) for kind, flag in flags.items() if (named := _flag(flag))}


def credentials() -> tuple[str, ...]:
    """The pairs of --api-auth, as "user:password"."""
    return tuple(pair.strip() for pair in str(_flag("api_auth") or "").split(",") if ":" in pair)


def login(app: Any) -> Callable[[Any], bool] | None:
    """Whether a request comes from somebody whom gradio's login knows; None where the page asks for no login.

    gradio's own route is asked: what its cookie is called differs between its versions.
    """
    if not getattr(app, "auth", None) and not getattr(app, "auth_dependency", None):
        return None
    routes = getattr(app, "routes", ())
    who = next((route.endpoint for route in routes if getattr(route, "path", "") in ("/user", "/user/")), None)

    def is_known(request: Any) -> bool:
        user = who(request) if who is not None else None
        return isinstance(user, str) and user != ""

    return is_known


def _flag(name: str) -> object:
    """A flag of the command line; None where this WebUI has no such flag."""
    from modules.shared_cmd_options import cmd_opts  # pyright: ignore[reportMissingImports]

    return getattr(cmd_opts, name, None)
