"""Does the WebUI start as soon as it did before? What is imported at its start is counted, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

LATER = (
    "api.router",
    "api.desk",
    "session",
    "plan",
    "preflight",
    "runs",
    "stages",
    "masks",
    "scores",
    "backend",
    "jobs",
    "models",
    "engine",
)

_LOAD = """
import json, sys
from types import SimpleNamespace

sys.modules["gradio"] = SimpleNamespace(Textbox=None, Radio=None, Slider=None)  # the WebUI has imported it long before
import starlette.routing, PIL.Image, numpy, httpx, fastapi
before = set(sys.modules)
import lib_extension.ui.accordion, lib_extension.ui.registration
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_what_the_tab_needs_later_is_imported_later():
    done = subprocess.run([sys.executable, "-c", _LOAD], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    loaded = json.loads(done.stdout)
    ours = [name.removeprefix("lib_extension.") for name in loaded if name.startswith("lib_extension.")]
    assert "ui.registration" in ours
    assert [name for name in ours if name.startswith(LATER)] == []
    assert len(loaded) < 60
