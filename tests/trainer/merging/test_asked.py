"""Do flags and configurations mean the same, and are mistakes told?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.merging import COMMANDS, BakeSettings, MergeSettings, ResizeSettings
from trainer.__main__ import COMMANDS as PROGRAMS
from trainer.merging.asked import help_of, one_file, read_arguments
from trainer.merging.merge import _take_files


def test_flags_and_a_configuration_mean_the_same(tmp_path: Path) -> None:
    config = {
        "loras": [{"file": "a.safetensors", "weight": 0.8}, {"file": "C:/b.safetensors", "weight": -1}],
        "method": {"kind": "svd", "ranks": {"rank": 8}},
        "output": {"name": "both"},
    }
    (tmp_path / "merge.json").write_text(json.dumps(config))
    by_file = read_arguments(MergeSettings, [str(tmp_path / "merge.json"), "output.precision=fp16"], _take_files)
    flags = ["a.safetensors:0.8", "C:/b.safetensors:-1", "--method", "svd", "--method.ranks.rank=8", "--output.name", "both"]
    by_flags = read_arguments(MergeSettings, [*flags, "--output.precision", "fp16", "--check"], _take_files)
    assert by_file.settings == by_flags.settings
    assert (by_file.only_check, by_flags.only_check) == (False, True)


def test_mistakes_are_told() -> None:
    with pytest.raises(BadRequest, match=r'rnaks is not known\. Did you mean "ranks"'):
        read_arguments(ResizeSettings, ["a.safetensors", "--rnaks.rank", "3"], one_file("file"))
    with pytest.raises(BadRequest, match="needs a value"):
        read_arguments(ResizeSettings, ["a.safetensors", "--ranks.rank"], one_file("file"))
    with pytest.raises(BadRequest, match="Name one file; there are 2"):
        read_arguments(ResizeSettings, ["a.safetensors", "b.safetensors"], one_file("file"))


@pytest.mark.parametrize("weight", ["", ":0.5"])
def test_a_file_that_is_there_is_no_setting(weight: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "style=a.safetensors").touch()
    asked = read_arguments(MergeSettings, [f"style=a.safetensors{weight}", "output.name=x", f"output.notes={'n' * 5000}"], _take_files)
    assert (asked.settings.loras[0].file, asked.settings.output.name) == ("style=a.safetensors", "x")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there(name: str) -> None:
    assert PROGRAMS[name].module == f"trainer.merging.{name}"
    assert "--output" in help_of(COMMANDS[name], "x") or name == "inspect"


def test_help_names_every_setting() -> None:
    assert "--checkpoint  Checkpoint (A)" in help_of(BakeSettings, "usage")
