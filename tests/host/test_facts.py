"""Are the folders known that a WebUI's flags name?"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from lib_extension.host import facts


@pytest.mark.parametrize(
    ("flags", "kinds"),
    [({}, []), ({"lora_dir": None, "ckpt_dir": ""}, []), ({"lora_dir": "a", "ckpt_dir": "b"}, ["loras", "checkpoints"])],
)
def test_folders_that_flags_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: dict[str, str], kinds: list[str]):
    monkeypatch.chdir(tmp_path)
    module = ModuleType("modules.shared_cmd_options")
    module.cmd_opts = SimpleNamespace(**flags)  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "modules", ModuleType("modules"))
    monkeypatch.setitem(sys.modules, "modules.shared_cmd_options", module)
    named = facts.named_folders()
    assert list(named) == kinds
    assert all(path.is_absolute() and path.parent == tmp_path.resolve() for (path,) in named.values())
