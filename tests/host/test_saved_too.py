"""Which pictures of a run go into the WebUI's own folders? Told by the recipe and by what its user has set."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

CHECK = """
import sys
from types import SimpleNamespace
sys.modules["gradio"] = SimpleNamespace(Textbox=None, Radio=None, Slider=None)
from lib_extension.ui.aftercare import is_saved
from lib_extension.ui.settings_page import EVERY, FINAL, NOTHING

stages = [
    {"id": "lines", "type": "control", "takes": "drawing"},
    {"id": "base", "type": "txt2img"},
    {"id": "pick", "type": "review", "takes": ["base"]},
    {"id": "vary", "type": "img2img", "takes": "pick"},
    {"id": "side", "type": "txt2img"},
    {"id": "off", "type": "img2img", "takes": "side", "enabled": False},
    {"id": "sheet", "type": "sheet", "takes": ["base", "vary", "side"]},
    {"id": "files", "type": "export", "takes": "vary"},
]
saved = lambda which: [stage["id"] for stage in stages if is_saved({"stages": stages}, stage["id"], which)]
assert saved(FINAL) == ["vary", "side", "off", "sheet"], saved(FINAL)
assert saved(EVERY) == ["base", "vary", "side", "off", "sheet"]
assert saved(NOTHING) == []
"""


def test_what_a_run_ends_with_is_saved_in_the_webuis_folders_or_all_or_nothing():
    subprocess.run([sys.executable, "-c", CHECK], cwd=ROOT, timeout=60, check=True)


SAVE = """
import sys
from types import ModuleType, SimpleNamespace
from PIL import Image
given = {}
for name in ("modules", "modules.images", "modules.shared"):
    sys.modules[name] = ModuleType(name)
sys.modules["modules"].images, sys.modules["modules"].shared = sys.modules["modules.images"], sys.modules["modules.shared"]
sys.modules["modules.images"].save_image = lambda *names, **more: given.update(more) or ("file", None)
sys.modules["modules.shared"].opts = SimpleNamespace(outdir_grids="", outdir_txt2img_grids="grids", grid_format="png")
from lib_extension.host.saving import Saved, save
save(Saved(Image.new("RGB", (8, 8)), {"atelier": "{}"}, "", None, is_drawn_anew=False, is_sheet=True))
assert (given["info"], given["existing_info"]) == ("", {"atelier": "{}"}), given
"""


def test_a_sheet_which_nothing_was_said_for_does_not_say_none():
    subprocess.run([sys.executable, "-c", SAVE], cwd=ROOT, timeout=60, check=True)
