"""Does a failing npm end in one message, and is nothing installed twice?"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from lib_extension.setup.environment import ROOT, Environment
from lib_extension.setup.installer import InstallError
from lib_extension.setup.javascript import NodePackages, explain


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("npm error code ENOTFOUND\nnpm error network request to https://registry.npmjs.org failed", "The npm registry cannot be reached"),
        ("npm error code ECONNREFUSED", "The npm registry cannot be reached"),
        ("npm error code EINTEGRITY\nnpm error sha512-x but got y\nnpm error A complete log of this run", "Installing what JavaScript"),
        ("", "Installing what JavaScript is checked with failed: npm said nothing"),
    ],
)
def test_what_npm_said_becomes_one_message(printed: str, said: str):
    assert explain(printed).startswith(said)
    assert "\n" not in explain(printed)


def test_what_the_lock_says_is_there_is_not_installed_again(tmp_path: Path):
    lock = b"{}"
    (tmp_path / "package-lock.json").write_bytes(lock)
    nowhere = Environment(tmp_path / "nowhere", tmp_path, say=pytest.fail)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / ".atelier-lock").write_text(hashlib.sha256(lock).hexdigest(), encoding="utf-8")
    NodePackages(nowhere, tmp_path).ensure()


def test_without_node_one_message_says_so(tmp_path: Path):
    (tmp_path / "package-lock.json").write_bytes(b"{}")
    broken = Environment(tmp_path / "nowhere", tmp_path, say=lambda line: None)
    with pytest.raises(InstallError, match="Cannot start"):
        NodePackages(broken, tmp_path).ensure()


def test_every_package_is_pinned():
    lock = (ROOT / "tests" / "javascript" / "package-lock.json").read_text(encoding="utf-8")
    assert '"node_modules/eslint"' in lock
    assert '"node_modules/axe-core"' in lock
    manifest = (ROOT / "tests" / "javascript" / "package.json").read_text(encoding="utf-8")
    assert "^" not in manifest
    assert "~" not in manifest
