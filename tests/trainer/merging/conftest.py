"""Tiny checkpoints as single files, made once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import ldm_files


@pytest.fixture(autouse=True)
def hashes(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where hashes are remembered: not among the user's own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("LOCALAPPDATA", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "atelier" / "hashes.json"


@pytest.fixture(scope="session")
def sd1_file(sd1_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ldm_files.write_checkpoint(sd1_folder, tmp_path_factory.mktemp("single") / "sd1.safetensors", "sd1")


@pytest.fixture(scope="session")
def sd2_file(sd2_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ldm_files.write_checkpoint(sd2_folder, tmp_path_factory.mktemp("single") / "sd2.safetensors", "sd2")


@pytest.fixture(scope="session")
def sdxl_file(sdxl_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ldm_files.write_checkpoint(sdxl_folder, tmp_path_factory.mktemp("single") / "sdxl.safetensors", "sdxl")
