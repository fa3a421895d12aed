"""What of `modules.*` does the extension use, besides the Api? Made here with the names and shapes of AUTOMATIC1111 1.10.1."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr  # pyright: ignore[reportMissingImports]
from PIL import Image, PngImagePlugin

from tests.host.stand_in_modules import module

EVENTS = ("ui_settings", "ui_tabs", "after_component", "app_started", "script_unloaded")
JS = "_js" if gr.__version__.startswith("3.") else "js"


class Host:
    """The callbacks, options and wiring of one page."""

    def __init__(self, data: Path) -> None:
        self.callbacks: dict[str, list[Any]] = {f"callbacks_{event}": [] for event in EVENTS}
        self.paste_fields: dict[str, dict[str, Any]] = {}
        self.bindings: list[Any] = []
        self.options: dict[str, Any] = {}
        self.opts = SimpleNamespace(add_option=self._add_option, localization="None", samples_format="png", grid_format="png")
        for name in ("samples", "txt2img_samples", "img2img_samples", "grids", "txt2img_grids"):
            setattr(self.opts, f"outdir_{name}", "" if name in ("samples", "grids") else str(data / "outputs" / name))
        self._install(data)

    def call(self, event: str, *given: Any, **about: Any) -> list[Any]:
        """What each callback of that event answers."""
        return [callback(*given, **about) for callback in self.callbacks[f"callbacks_{event}"]]

    def wire(self) -> None:
        """As connect_paste_params_buttons: after all tabs are made."""
        for binding in self.bindings:
            target = self.paste_fields[binding.tabname]
            if target["init_img"] is not None and binding.source_image_component is not None:
                binding.paste_button.click(lambda picture: picture, [binding.source_image_component], [target["init_img"]])
            if target["fields"]:
                prompt = target["fields"][0][0]
                binding.paste_button.click(lambda text: text.splitlines()[0] if text else "", [binding.source_text_component], [prompt])
            binding.paste_button.click(None, None, None, **{JS: f"() => switch_to_{binding.tabname}()"})

    def _add_option(self, name: str, info: Any) -> None:
        self.options[name] = info
        if not hasattr(self.opts, name):
            setattr(self.opts, name, info.default)

    def _install(self, data: Path) -> None:
        listeners = {f"on_{event}": self.callbacks[f"callbacks_{event}"].append for event in EVENTS}
        module("modules.script_callbacks", **listeners)
        module("modules.scripts", Script=Script, AlwaysVisible=object())
        module("modules.shared", opts=self.opts, OptionInfo=OptionInfo)
        module("modules.paths", data_path=str(data), models_path=str(data / "models"))
        module("modules.images", save_image=save_image)
        module(
            "modules.infotext_utils",
            ParamBinding=Binding,
            paste_fields=self.paste_fields,
            register_paste_params_button=self.bindings.append,
        )


class Script:
    """The class that scripts subclass."""


class Binding(SimpleNamespace):
    """What a "send to" button sends, and where."""


class OptionInfo:
    """A line of the settings page."""

    def __init__(
        self,
        default: Any = None,
        label: str = "",
        component: Any = None,
        component_args: Any = None,
        section: Any = None,
        restrict_api: bool = False,
    ) -> None:
        self.default, self.label, self.section, self.restrict_api = default, label, section, restrict_api
        self.made = (component or gr.Textbox)(**(component_args or {}))  # what cannot be made is found out

    def info(self, text: str) -> OptionInfo:
        return self

    def needs_reload_ui(self) -> OptionInfo:
        return self


def save_image(
    image: Image.Image, path: str, basename: str, seed: Any = None, extension: str = "png", info: Any = None, **more: Any
) -> Any:
    """By number and seed, as the WebUI's names are if nothing is set."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    texts = PngImagePlugin.PngInfo()
    for name, text in {**(more.get("existing_info") or {}), "parameters": info}.items():
        texts.add_text(name, str(text))
    file = folder / f"{basename}{len(list(folder.iterdir())):05}-{seed}.{extension}"
    image.save(file, pnginfo=texts)
    return str(file), None
