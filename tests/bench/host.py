"""What does Atelier add to a WebUI's start? `python -m tests.bench.host [--json] [--rounds N] [--webui FOLDER]`.

In CPU seconds of the thread that starts the WebUI, so that a busy machine says nothing: importing the script and what it needs, its
settings, the accordions, the tab, and the routes. On the gradio of AUTOMATIC1111 and of Forge, as `install.py test` installs them, over
stand-ins of the WebUI's modules; with `--webui FOLDER` (and its Python, `--python FILE`) inside a real one, which is started and ended,
on a port of its own, with what comes after `--`. A file that was never compiled is compiled then: the first round is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[2]
HOSTS = ("host-a1111", "host-forge")
WANTED_MS = 150.0


class Spent:
    """Milliseconds by what they were spent on."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}
        self._is_in = False

    @contextmanager
    def on(self, part: str) -> Iterator[None]:
        """What is done meanwhile; parts inside a part belong to the outer one."""
        if self._is_in:
            yield
            return
        self._is_in, begun = True, time.thread_time()
        try:
            yield
        finally:
            self._is_in = False
            self.parts[part] = self.parts.get(part, 0.0) + (time.thread_time() - begun) * 1000

    def wrapped(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The function, counted."""

        def counted(*given: Any, **named: Any) -> Any:
            with self.on(part):
                return call(*given, **named)

        return counted


def on_stand_ins(folder: Path) -> dict[str, float]:
    """One start, in this process, which has a host's packages."""
    import gradio as gr  # pyright: ignore[reportMissingImports]

    from tests.backend.misbehaving import Misbehaving
    from tests.host import stand_in_modules
    from tests.host.harness.__main__ import load_script
    from tests.host.harness.modules_of_host import Host

    host, spent = Host(folder), Spent()
    stand_in_modules.install(Misbehaving())
    for name in ("txt2img", "img2img", "inpaint", "extras"):
        host.paste_fields[name] = {"init_img": None, "fields": None, "override_settings_component": None}
    with spent.on("script"):
        panel = load_script()()
    with spent.on("settings"):
        host.call("ui_settings")
    with gr.Blocks(), spent.on("accordions"):
        panel.ui(False)
        panel.ui(True)
    with gr.Blocks() as page, spent.on("tab"):
        for blocks, *_ in (tab for tabs in host.call("ui_tabs") for tab in tabs):
            blocks.render()
        host.wire()
    app = gr.routes.App.create_app(page)
    with spent.on("routes"):
        host.call("app_started", page, app)
    host.call("script_unloaded")
    return spent.parts


def in_webui() -> None:
    """A real WebUI's start, in this process, in its folder; ends when it answers."""
    import runpy

    sys.path.insert(0, str(Path.cwd()))
    spent = Spent()
    from modules import launch_utils  # pyright: ignore[reportMissingImports]

    def start() -> None:
        from modules import script_callbacks, script_loading, scripts  # pyright: ignore[reportMissingImports]

        load, add = script_loading.load_module, script_callbacks.add_callback
        ours = str(ROOT / "scripts")
        script_loading.load_module = lambda path: spent.wrapped("script", load)(path) if _is_ours(path, ours) else load(path)

        def added(callbacks: Any, fun: Any, *, name: Any = None, category: str = "", filename: Any = None) -> Any:
            counted = spent.wrapped(category, fun) if filename and _is_ours(filename, ours) else fun
            return add(callbacks, counted, name=name, category=category, filename=filename)

        script_callbacks.add_callback = added
        create = scripts.ScriptRunner.create_script_ui

        def created(runner: Any, script: Any) -> Any:
            return (spent.wrapped("accordions", create) if _is_ours(script.filename, ours) else create)(runner, script)

        scripts.ScriptRunner.create_script_ui = created
        plain = script_callbacks.app_started_callback

        def started(*given: Any) -> None:
            plain(*given)
            print("ATELIER " + json.dumps(spent.parts), flush=True)
            os._exit(0)

        script_callbacks.app_started_callback = started
        import webui  # pyright: ignore[reportMissingImports]

        webui.webui()

    launch_utils.start = start
    runpy.run_path("launch.py", run_name="__main__")


def _is_ours(path: str, ours: str) -> bool:
    return os.path.realpath(path).startswith(ours + os.sep)


def measured(command: list[str], cwd: Path, rounds: int) -> dict[str, float]:
    """The median of each part, and of the whole."""
    found = []
    environment = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    for _ in range(rounds + 1):
        done = subprocess.run(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
        told = [line for line in done.stdout.splitlines() if line.startswith("ATELIER ")]
        if not told:
            sys.exit(f"{command[0]} did not start:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
        found.append(json.loads(told[-1].partition(" ")[2]))
    parts = {part: round(median(one.get(part, 0.0) for one in found[1:]), 1) for part in found[-1]}
    return {**parts, "all": round(median(sum(one.values()) for one in found[1:]), 1)}


def main() -> None:
    """Print what was measured, in milliseconds."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.host", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--webui", type=Path, help="the folder of a real WebUI that has this extension")
    parser.add_argument("--python", type=Path, help="that WebUI's Python")
    parser.add_argument("--inside", choices=["stand-ins", "webui"], help=argparse.SUPPRESS)
    options, rest = parser.parse_known_args()
    if options.inside == "stand-ins":
        with tempfile.TemporaryDirectory() as folder:
            print("ATELIER " + json.dumps(on_stand_ins(Path(folder))), flush=True)
            os._exit(0)  # gradio's threads need not be waited for
    found = {}
    if options.webui:
        code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.bench.host import in_webui; sys.path.pop(0); in_webui()"
        flags = ["--skip-prepare-environment", "--skip-install", *(word for word in rest if word != "--")]
        python = options.python or options.webui / "venv" / "bin" / "python"
        found["webui"] = measured([str(python), "-c", code, *flags], options.webui, options.rounds)
    else:
        for name in HOSTS:
            python = Path(sys.prefix) / name / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
            if python.is_file():
                found[name] = measured([str(python), "-m", "tests.bench.host", "--inside", "stand-ins"], ROOT, options.rounds)
    if options.json:
        print(json.dumps(found))
    for name, parts in {} if options.json else found.items():
        print(f"{name:12}", "  ".join(f"{part} {spent:.1f}" for part, spent in parts.items()), f"ms (wanted: < {WANTED_MS:.0f} in all)")


if __name__ == "__main__":
    main()
