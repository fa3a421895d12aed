"""Is the WebUI that this runs in asked as one over HTTP is, with and without --api? In a process of its own, with modules of that name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BEGIN = """
import sys
from concurrent.futures import ThreadPoolExecutor
from lib_extension.backend.parse import parse_backend
from lib_extension.host.webui import this_webui
from tests.backend.asked import PLAIN, asking, backend_over, guided_by, unit
from tests.backend.misbehaving import LoraFile, Misbehaving
from tests.host.stand_in_modules import BUILT, install, own_application

assert "modules" not in sys.modules and "fastapi" in sys.modules
def inside(webui, with_api=False, **how):
    install(webui, **how)
    return parse_backend("webui", webui=this_webui(own_application(webui, with_api=with_api)))
"""

WITHOUT_API = """
webui = Misbehaving(loras={"style": LoraFile("aa11")})
backend = inside(webui)
assert not BUILT, "built before it was needed"
assert backend.identity().class_ == "a1111 v1.10.1 cpu fp32"
with ThreadPoolExecutor(4) as threads:
    answers = list(threads.map(lambda seed: backend.call(asking(seed=seed, prompt="a <lora:style:1>")), range(4)))
assert [answer.pictures[0].seed for answer in answers] == [0, 1, 2, 3]
there = backend_over(Misbehaving()).call(asking(alwayson_scripts=guided_by(unit())))
assert backend.call(asking(alwayson_scripts=guided_by(unit()))) == there
assert len(BUILT) == 1
backend.close()
assert backend.call(PLAIN).pictures
assert len(BUILT) == 1
"""

WITH_API = """
backend = inside(Misbehaving(), with_api=True)
assert backend.call(PLAIN).pictures
assert not BUILT
"""

WITH_PASSWORD = """
webui = Misbehaving()
backend = inside(webui, api_auth="me:secret,other:pair")
assert backend.call(PLAIN).pictures
"""

WITHOUT_GIT = """
assert inside(Misbehaving(), version="<none>").identity().version.startswith("api-")
"""

IN_FORGE = """
from lib_extension.backend.errors import Failed
webui = Misbehaving("forge")
backend = inside(webui, version="f2")
assert backend.identity().class_ == "forge f2 cpu fp32"
webui.lists["/sdapi/v1/samplers"] = {"status": 500, "response": {"error": "X", "message": "out of memory"}}
try:
    backend.inventory()
except Failed as failed:
    assert "out of memory" in str(failed)
else:
    raise AssertionError("nothing failed")
"""

STOPPED = """
import threading, time
from lib_extension.spec.errors import Interrupted
webui, cancelled = Misbehaving(step_seconds=0.01), threading.Event()
backend = inside(webui)
backend.inventory()
with ThreadPoolExecutor(1) as threads:
    call = threads.submit(backend.call, asking(steps=400), "task(ours)", cancelled.is_set)
    while webui.task != "task(ours)":
        time.sleep(0.01)
    assert backend.progress("task(ours)").share == 0.25
    cancelled.set()
    assert isinstance(call.exception(2), Interrupted)
"""


NAMES = ["without --api", "with --api", "with a password", "without git", "in Forge", "stopped"]


@pytest.mark.parametrize("what", [WITHOUT_API, WITH_API, WITH_PASSWORD, WITHOUT_GIT, IN_FORGE, STOPPED], ids=NAMES)
def test_the_webui_around_us_is_a_backend(what: str) -> None:
    done = subprocess.run([sys.executable, "-c", BEGIN + what], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
