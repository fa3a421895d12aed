"""A recipe on the engine that users have, from a terminal: Ctrl+C goes to the whole group of programs, and what was at work is finished."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lib_extension.cli import exit_codes
from lib_extension.cli.main import main
from lib_extension.pictures.png import open_picture

ROOT = Path(__file__).parents[2]
RECIPE = """
name: demo
settings: {steps: 2, sampler_name: Euler, scheduler: Automatic, seed: 7, cfg_scale: 5}
axes: {place: [on a beach, at night, in a forest, on a table]}
stages:
  - {id: base, type: txt2img, prompt: "a red watch {place}", width: 64, height: 64, batch_size: 2}
  - {id: pick, type: review, takes: base, scores: [{kind: sharpness}], auto: "top 1"}
  - {id: refine, type: img2img, takes: pick, denoising_strength: 0.5, prompt: "a red watch {place}", steps: 60, width: 128, height: 128}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C cannot be sent to a group of programs there")
def test_a_run_on_the_demo_engine_paused_from_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "demo.yaml").write_text(RECIPE)
    words = ["run", str(tmp_path / "demo.yaml"), "--home", str(tmp_path / "home"), "--output", str(tmp_path / "out")]
    command = [sys.executable, "-m", "lib_extension", *words]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True) as terminal:
        assert terminal.stdout is not None
        before = []
        for line in terminal.stdout:
            before.append(line)
            if "pick: 4 of 4" in line:  # refining has begun
                os.killpg(terminal.pid, signal.SIGINT)
                break
        rest = terminal.stdout.read()
    assert terminal.returncode == exit_codes.STOPPED, [*before, rest]
    assert "failed" not in rest
    assert "Trying again" not in rest
    refined = sorted((tmp_path / "out/03-refine").glob("*.png"))
    assert 1 <= len(refined) < 4
    assert open_picture(refined[0].read_bytes(), what="it").size == (128, 128)
    capsys.readouterr()
    assert main(["plan", str(refined[0]), "--home", str(tmp_path / "home"), "--json"]) == exit_codes.DONE
    states = [(one["stage"], one["state"]) for one in json.loads(capsys.readouterr().out)["stages"]]
    assert states.count(("refine", "cached")) == len(refined)
    assert all(state == "cached" for stage, state in states if stage != "refine")
