"""How do pictures get from us into the WebUI's other tabs? By its own way: a button, a picture and an infotext that it wires itself."""

from __future__ import annotations

from typing import Any

TARGETS = ("txt2img", "img2img", "inpaint", "extras")


def targets() -> tuple[str, ...]:
    """The tabs that take something, of those that are there: others would break the whole page."""
    return tuple(name for name in TARGETS if name in _module().paste_fields)


def bind(button: Any, target: str, picture: Any, infotext: Any) -> None:
    """A click on `button` will bring the picture, where that is not None, and what its infotext says into the tab."""
    module = _module()
    module.register_paste_params_button(
        module.ParamBinding(paste_button=button, tabname=target, source_image_component=picture, source_text_component=infotext)
    )


def _module() -> Any:
    try:
        from modules import infotext_utils  # pyright: ignore[reportMissingImports]
    except ImportError:  # before it got that name
        from modules import generation_parameters_copypaste as infotext_utils  # pyright: ignore[reportMissingImports]
    return infotext_utils
