"""`python -m tests.host.harness PORT FOLDER USER:PASSWORD`: serves the page until its standard input ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gradio as gr  # pyright: ignore[reportMissingImports]
from PIL import Image, PngImagePlugin

from tests.backend.misbehaving import Misbehaving
from tests.host import stand_in_modules
from tests.host.harness.modules_of_host import Host

ROOT = Path(__file__).resolve().parents[3]
INFOTEXT = (
    "a red watch, on a beach\nNegative prompt: rain\n"
    "Steps: 4, Sampler: Euler, Schedule type: Automatic, CFG scale: 5, Seed: 12, Size: 64x64"
)
SCRIPT = """
window.gradioApp = () => document;
const openTab = (id) => {
  const byText = [...document.querySelectorAll("#tabs button")].find((one) => one.textContent.trim() === id);
  (document.getElementById(`tab_${id}-button`) ?? byText).click();
};
for (const id of ["txt2img", "img2img", "extras"]) window[`switch_to_${id}`] = () => openTab(id);
window.switch_to_inpaint = () => openTab("img2img");
window.switch_to_img2img_tab = (number) => { openTab("img2img"); window.inpaintTab = number; };
"""


def main() -> None:
    port, folder, login = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    host = Host(folder)
    webui = Misbehaving()
    stand_in_modules.install(webui)
    load_script()
    host.call("ui_settings")
    others = _others(host, folder)
    own = [tab for tabs in host.call("ui_tabs") for tab in tabs]
    remembered = [one.elem_id for blocks, *_ in own for one in blocks.blocks.values() if hasattr(one, "value") and _is_remembered(one)]
    assert remembered == [], f"the WebUI would write them into ui-config.json: {remembered}"
    with gr.Blocks(analytics_enabled=False) as page:
        with gr.Tabs(elem_id="tabs"):
            for blocks, title, id in [*others, *own]:
                with gr.TabItem(title, id=id, elem_id=f"tab_{id}"):
                    blocks.render()
        host.wire()
    _link(page)
    user, _, password = login.partition(":")
    app, _, _ = page.launch(
        server_name="127.0.0.1", server_port=port, auth=[(user, password)], prevent_thread_lock=True, quiet=True, show_api=False,
        allowed_paths=[str(ROOT), str(folder)],
    )  # fmt: skip
    app.user_middleware = [one for one in app.user_middleware if one.cls.__name__ != "CORSMiddleware"]
    stand_in_modules.add_extensions(app, webui)
    host.call("app_started", page, app)
    print("ready", flush=True)
    sys.stdin.read()
    host.call("script_unloaded")


def _is_remembered(component: Any) -> bool:
    """Of those kinds whose values, or whether they are seen, the WebUI writes down."""
    kinds = (gr.Slider, gr.Radio, gr.Checkbox, gr.Textbox, gr.Number, gr.Dropdown, gr.Button)
    return isinstance(component, kinds) and not getattr(component, "do_not_save_to_config", False)


def load_script() -> Any:
    """As the WebUI does: run by its path, in a module that nobody can import; and its parts for txt2img are made."""
    file = ROOT / "scripts" / "atelier.py"
    names: dict[str, Any] = {"__name__": "atelier.py", "__file__": str(file)}
    exec(compile(file.read_text("utf-8"), str(file), "exec"), names)
    return names["AtelierPanel"]


def _others(host: Host, folder: Path) -> list[tuple[Any, str, str]]:
    def made(component: Any) -> Any:
        host.call("after_component", component, elem_id=component.elem_id)
        return component

    panel = load_panel()
    picture = _picture(folder)
    with gr.Blocks() as txt2img:
        prompt = gr.Textbox(elem_id="txt2img_prompt", label="Prompt")
        gr.Gallery([str(picture)], elem_id="txt2img_gallery", preview=True)
        with gr.Row(elem_id="image_buttons_txt2img"):
            gr.Button("x", elem_id="txt2img_send_to_extras")
        assert len(panel.ui(False)) == 3
    with gr.Blocks() as img2img:
        other_prompt = gr.Textbox(elem_id="img2img_prompt", label="Prompt")
        init = gr.Image(elem_id="img2img_image", type="pil")
        made(gr.Image(elem_id="img_inpaint_base", type="pil"))
        made(gr.Image(elem_id="img_inpaint_mask", type="pil"))
    with gr.Blocks() as extras:
        large = gr.Image(elem_id="extras_image", type="pil")
    for name, image, fields in (
        ("txt2img", None, [(prompt, "Prompt")]),
        ("img2img", init, [(other_prompt, "Prompt")]),
        ("inpaint", init, [(other_prompt, "Prompt")]),
        ("extras", large, None),
    ):
        host.paste_fields[name] = {"init_img": image, "fields": fields, "override_settings_component": None}
    return [(txt2img, "txt2img", "txt2img"), (img2img, "img2img", "img2img"), (extras, "extras", "extras")]


def load_panel() -> Any:
    """The script's part of txt2img, without registering it all once more."""
    from lib_extension.ui import accordion

    class Panel:
        def ui(self, is_img2img: bool) -> list[Any]:
            return accordion.draw(is_img2img)

    return Panel()


def _picture(folder: Path) -> Path:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", INFOTEXT)
    file = folder / "generated.png"
    Image.effect_noise((64, 64), 80).convert("RGB").save(file, pnginfo=texts)
    return file


def _link(page: Any) -> None:
    """Style and JavaScript, as ui_gradio_extensions links them."""
    plain = gr.routes.templates.TemplateResponse
    style = f'<link rel="stylesheet" href="file={ROOT}/style.css">'
    script = f'<script>{SCRIPT}</script><script type="module" src="file={ROOT}/javascript/atelier.mjs"></script>'

    def linked(*given: Any, **more: Any) -> Any:
        answer = plain(*given, **more)
        answer.body = answer.body.replace(b"</head>", f"{script}</head>".encode()).replace(b"</body>", f"{style}</body>".encode())
        answer.init_headers()
        return answer

    gr.routes.templates.TemplateResponse = linked


if __name__ == "__main__":
    main()
