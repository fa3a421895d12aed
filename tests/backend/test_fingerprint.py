from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lib_extension.backend import fingerprint
from lib_extension.backend.fingerprint import engine_fingerprint


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models folder with a LoRA in it."""
    (tmp_path / "models/Lora").mkdir(parents=True)
    (tmp_path / "models/Lora/a.safetensors").write_bytes(b"weights")
    return tmp_path / "models"


def _overwrite(models: Path) -> None:
    """With as many bytes, at another time."""
    file = models / "Lora/a.safetensors"
    before = file.stat().st_mtime_ns
    file.write_bytes(b"WEIGHTS")
    os.utime(file, ns=(before + 1, before + 1))


def _embed(models: Path) -> None:
    (models.parent / "embeddings").mkdir()
    (models.parent / "embeddings/word.safetensors").write_bytes(b"")


CHANGES: dict[str, Callable[[Path], object]] = {
    "overwritten": _overwrite,
    "renamed": lambda models: (models / "Lora/a.safetensors").rename(models / "Lora/b.safetensors"),
    "gone": lambda models: (models / "Lora/a.safetensors").unlink(),
    "further": lambda models: (models / "upscaler.safetensors").write_bytes(b""),
    "embedding": _embed,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_file_is_another_fingerprint(models: Path, change: Callable[[Path], object]):
    before = engine_fingerprint("demo", models)
    assert before == engine_fingerprint("demo", models) != ""
    change(models)
    assert engine_fingerprint("demo", models) != before


def test_linked_folders_are_followed_even_in_a_circle(models: Path, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (models / "Lora/linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "elsewhere/back").symlink_to(models, target_is_directory=True)
    before = engine_fingerprint("none", models)
    (tmp_path / "elsewhere/new.safetensors").write_bytes(b"x")
    assert engine_fingerprint("none", models) != before


def test_packages_code_and_devices_count(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found = {engine_fingerprint("none", models)}
    (tmp_path / "site/another-99.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "site")
    found.add(engine_fingerprint("none", models))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    found.add(engine_fingerprint("none", models))
    (tmp_path / "code/engine").mkdir(parents=True)
    monkeypatch.setattr(fingerprint, "_CODE", tmp_path / "code")
    found.add(engine_fingerprint("none", models))
    (tmp_path / "code/engine/new.py").write_text("")
    found.add(engine_fingerprint("none", models))
    assert len(found) == 5


def test_a_model_file_counts_and_of_the_hubs_nothing_is_known(models: Path, tmp_path: Path):
    file = tmp_path / "own.safetensors"
    file.write_bytes(b"1")
    before = engine_fingerprint(str(file), models)
    file.write_bytes(b"22")
    assert engine_fingerprint(str(file), models) != before
    assert engine_fingerprint("owner/name", models) == ""
