"""Does the command line name its commands, and tell what goes wrong in one event?"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.trainer.runs import ROOT, carried_out, events_in
from trainer.__main__ import COMMANDS, usage


def test_help_names_every_command() -> None:
    assert all(name in usage() for name in COMMANDS)


def test_an_unknown_command_is_told_with_the_near_miss() -> None:
    told = carried_out("trian")
    assert told.status == 2
    assert 'Did you mean "train"?' in told.error


def test_starting_imports_nothing_heavy() -> None:
    code = "import sys, trainer.__main__; print(sorted({'torch', 'diffusers', 'numpy', 'PIL'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", ["train", "check", "estimate"])
def test_a_missing_configuration_is_bad_input_without_a_trace(command: str) -> None:
    done = subprocess.run([sys.executable, "-m", "trainer", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "configuration is missing" in events_in(done.stdout)[-1]["detail"]
    assert "Traceback" not in done.stderr
