"""Which file does a name mean, and is it read once, and never outside the folders?"""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_extension.formats.kind import Kind
from lib_extension.preflight import ModelFiles
from lib_extension.spec.errors import BadFile
from tests.formats.published import ldm_checkpoint, write_sparse

EMBEDDING = {"emb_params": (4, 768)}


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    (tmp_path / "Stable-diffusion" / "mine").mkdir(parents=True)
    (tmp_path / "embeddings").mkdir()
    write_sparse(tmp_path / "Stable-diffusion" / "mine" / "photo.v2.safetensors", ldm_checkpoint("sd2"))
    write_sparse(tmp_path / "embeddings" / "hands.safetensors", EMBEDDING)
    (tmp_path / "embeddings" / "cut.safetensors").write_bytes(b"\x10")
    write_sparse(tmp_path / "outside.safetensors", EMBEDDING)
    return tmp_path


def files(folders: Path) -> ModelFiles:
    return ModelFiles({"checkpoint": [folders / "Stable-diffusion"], "embedding": [folders / "embeddings"], "vae": [folders / "nowhere"]})


@pytest.mark.parametrize(
    "name",
    [
        "mine/photo.v2.safetensors [0123456789]",
        "mine\\photo.v2.safetensors",
        "mine_photo.v2",
        "photo.v2",
        "photo.v2.safetensors",
    ],
)
def test_names_as_backends_list_them(folders: Path, name: str):
    assert files(folders)("checkpoint", name) == Kind("checkpoint", "sd2", "ldm", side=768)


@pytest.mark.parametrize("name", ["../outside", "../outside.safetensors", "outside", "/etc/passwd", "", "hands"])
def test_other_names_mean_nothing(folders: Path, name: str):
    assert files(folders)("checkpoint", name) is None
    assert files(folders)("vae", name) is None


def test_an_unsound_file_is_an_error_each_time(folders: Path):
    read = files(folders)
    for _ in range(2):
        with pytest.raises(BadFile, match=r"cut\.safetensors"):
            read("embedding", "cut")


def test_a_file_is_read_once(folders: Path):
    read = files(folders)
    assert read("embedding", "hands") == Kind("embedding", "sd1")
    (folders / "embeddings" / "hands.safetensors").unlink()
    assert read("embedding", "hands") == Kind("embedding", "sd1")


def test_folders_of_diffusers(sd1_folder: Path, controlnet_folder: Path):
    read = ModelFiles({"checkpoint": [sd1_folder.parent], "controlnet": [controlnet_folder.parent]})
    assert read("checkpoint", sd1_folder.name) == Kind("unet", "sd1", "diffusers")
    assert read("controlnet", f"{controlnet_folder.name} [0123abcd]") == Kind("controlnet", "sd1", "diffusers")
