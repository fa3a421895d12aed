"""Do the settings reach the processes that are started from the WebUI, and does what was set before come back?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

CHECK = """
import os, sys
from pathlib import Path
from types import SimpleNamespace
from tests.host.stand_in_modules import module

sys.modules["gradio"] = SimpleNamespace(Textbox=None, Radio=None, Slider=None)
opts = SimpleNamespace(atelier_worker="", atelier_torch_index=" https://mirror.example/whl ", atelier_folder="", atelier_use_webui=True)
module("modules")
module("modules.shared", opts=opts)
module("modules.paths", data_path=sys.argv[1], models_path=sys.argv[1])
from lib_extension.jobs import Jobs
from lib_extension.setup.environment import ROOT
from lib_extension.ui.residence import _open

jobs = Jobs(Path(sys.argv[1]) / "jobs")
def opened():
    session = _open(None)
    session.close()
    return os.environ.get("ATELIER_TORCH_INDEX"), jobs.environment.folder

assert opened() == ("https://mirror.example/whl", ROOT / ".venv"), opened()
opts.atelier_worker, opts.atelier_torch_index = "elsewhere", ""
assert opened() == (None, Path(sys.argv[1]).resolve() / "elsewhere"), opened()
opts.atelier_worker = ""
assert opened() == (None, ROOT / ".venv"), opened()
"""


def test_the_settings_say_where_the_workers_environment_is_and_where_torch_comes_from(tmp_path: Path):
    subprocess.run([sys.executable, "-c", CHECK, str(tmp_path)], cwd=ROOT, timeout=60, check=True, env={"PATH": ""})
