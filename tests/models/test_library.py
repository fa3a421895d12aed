"""Are models found where users keep them, and does a name mean exactly one of them or nothing?"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.models.hashes import Hashes
from lib_extension.models.library import Library
from lib_extension.spec.errors import BadFile, NotFound


def write(file: Path, content: bytes = b"x") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


@pytest.fixture
def models(tmp_path: Path) -> Path:
    models = tmp_path / "models"
    write(models / "Stable-diffusion" / "model10.safetensors", b"ten")
    write(models / "Stable-diffusion" / "model2.safetensors", b"two")
    write(models / "Stable-diffusion" / "sub" / "deep.safetensors", b"deep")
    write(models / "Stable-diffusion" / "old.ckpt", b"old")
    write(models / "Stable-diffusion" / "model2.vae.safetensors", b"vae")
    write(models / "Stable-diffusion" / "notes.txt")
    write(models / "Stable-diffusion" / "folder" / "model_index.json", b"{}")
    write(models / "Stable-diffusion" / "folder" / "unet" / "weights.safetensors", b"unet")
    write(models / "VAE" / "other.safetensors")
    write(models / "Lora" / "mine" / "style.safetensors")
    write(models / "LyCORIS" / "lyco.safetensors")
    write(models / "ControlNet" / "canny.safetensors", b"\0" * 0x100000 + b"canny")
    write(models / "ControlNet" / "depth" / "config.json", b"{}")
    write(models / "ControlNet" / "depth" / "diffusion_pytorch_model.safetensors")
    write(models / "ESRGAN" / "4x.safetensors")
    write(tmp_path / "embeddings" / "word.safetensors")
    write(tmp_path / "secret.safetensors")
    return models


def test_finds_each_kind(models: Path) -> None:
    library = Library(models)
    assert [found.file for found in library.checkpoints()] == [
        "folder",
        "model2.safetensors",
        "model10.safetensors",
        "old.ckpt",
        "sub/deep.safetensors",
    ]
    assert [found.file for found in library.vaes()] == ["model2.vae.safetensors", "other.safetensors"]
    assert [found.stem for found in library.loras()] == ["lyco", "style"]
    assert [found.stem for found in library.controlnets()] == ["canny", "depth"]
    assert [found.stem for found in library.embeddings()] == ["word"]
    assert [found.stem for found in library.upscalers()] == ["4x"]


def test_other_folders_and_single_models_come_first(models: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "a.safetensors")
    library = Library(models, tmp_path / "elsewhere", tmp_path / "elsewhere", extra_checkpoints=[tmp_path / "secret.safetensors"])
    assert library.checkpoints()[0].file == "secret.safetensors"
    assert "a" in [found.stem for found in library.loras()]
    assert "a" in [found.stem for found in library.controlnets()]


def test_further_loras_come_from_further_folders(models: Path, tmp_path: Path) -> None:
    write(tmp_path / "with the model" / "house.safetensors")
    library = Library(models, extra_loras=[tmp_path / "with the model", tmp_path / "none"])
    assert [found.stem for found in library.loras()] == ["house", "lyco", "style"]
    assert library.lora("house").path == tmp_path / "with the model" / "house.safetensors"


def test_names_of_a_checkpoint(models: Path) -> None:
    library = Library(models)
    deep = library.checkpoint("sub/deep.safetensors")
    digest = hashlib.sha256(b"deep").hexdigest()
    assert (deep.name, deep.stem, deep.title) == ("sub_deep", "deep", "sub/deep.safetensors")  # no hash before somebody computes it
    assert deep.sha256 == digest
    assert deep.title == f"sub/deep.safetensors [{digest[:10]}]"
    for name in ("sub_deep", "deep", deep.title, digest, digest[:10], f"deep [{digest[:10]}]", f"sub_deep [{digest.upper()[:12]}]"):
        assert library.checkpoint(name) == deep


def test_wrong_hash_behind_a_right_name_is_refused(models: Path) -> None:
    with pytest.raises(NotFound, match=r'checkpoint "deep" is another file than asked for: its hash is \w{10}, not 0123456789'):
        Library(models).checkpoint("deep [0123456789]")


def test_near_miss_and_list(models: Path) -> None:
    library = Library(models)
    with pytest.raises(NotFound, match=r'There is no checkpoint "modle2"\. Did you mean "model2"\?'):
        library.checkpoint("modle2")
    with pytest.raises(NotFound, match=r"There are: lyco\.safetensors, mine/style\.safetensors\."):
        library.lora("zzz")
    with pytest.raises(NotFound, match="There are none"):
        Library(models / "nowhere").checkpoint("x")


def test_controlnet_titles_are_as_the_webuis(models: Path) -> None:
    library = Library(models)
    canny = library.controlnet("canny")
    old_hash = hashlib.sha256(b"canny").hexdigest()[:8]
    assert canny.control_title == f"canny [{old_hash}]"
    assert library.controlnet(canny.control_title) == canny
    assert library.controlnet("depth").control_title == "depth [e3b0c442]"  # of nothing: the file is shorter than 1 MiB


@given(
    st.text(max_size=40) | st.sampled_from(["../secret", "../../secret.safetensors", "/etc/passwd", "..\\secret", "sub/../../secret", "~"])
)
def test_no_name_leads_out_of_the_folders(name: str) -> None:
    library = Library(Path(__file__).parents[1] / "nowhere")
    for look in (library.checkpoint, library.lora, library.controlnet, library.vae):
        with pytest.raises(NotFound):
            look(name)


@pytest.mark.parametrize("name", ["../../secret", "../../secret.safetensors", "sub/../../../secret.safetensors", "..\\..\\secret"])
def test_traversal_finds_nothing_although_the_file_is_there(name: str, models: Path) -> None:
    library = Library(models)
    for look in (library.checkpoint, library.lora, library.controlnet, library.vae):
        with pytest.raises(NotFound):
            look(name)
        with pytest.raises(NotFound):
            look(str(models.parent / "secret.safetensors"))


def test_refresh_sees_new_files_and_forgets_removed_ones(models: Path) -> None:
    library = Library(models)
    write(models / "Lora" / "new.safetensors")
    (models / "LyCORIS" / "lyco.safetensors").unlink()
    assert [found.stem for found in library.loras()] == ["lyco", "style"]
    library.refresh()
    assert [found.stem for found in library.loras()] == ["style", "new"]


def test_linked_folders_are_followed_once(models: Path) -> None:
    (models / "Lora" / "round").symlink_to(models / "Lora", target_is_directory=True)
    assert [found.stem for found in Library(models).loras()] == ["lyco", "style"]


def test_hash_is_computed_again_only_when_the_file_changed(tmp_path: Path) -> None:
    file, memory = write(tmp_path / "a.safetensors", b"one"), tmp_path / "cache" / "hashes.json"
    first = Hashes(memory)
    assert first.known(file) is None
    assert first.sha256(file) == hashlib.sha256(b"one").hexdigest()
    stat = file.stat()
    file.write_bytes(b"two")  # of the same size; and if its time stayed, nobody could tell
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert Hashes(memory).sha256(file) == hashlib.sha256(b"one").hexdigest()
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert Hashes(memory).known(file) is None
    assert Hashes(memory).sha256(file) == hashlib.sha256(b"two").hexdigest()
    memory.write_text("[broken")
    assert Hashes(memory).sha256(file) == hashlib.sha256(b"two").hexdigest()


def test_a_folders_hash_is_that_of_its_weights(tmp_path: Path) -> None:
    write(tmp_path / "m" / "unet" / "a.safetensors", b"a")
    hashes = Hashes()
    before = hashes.sha256(tmp_path / "m")
    write(tmp_path / "m" / "readme.md")
    assert hashes.sha256(tmp_path / "m") == before
    write(tmp_path / "m" / "unet" / "a.safetensors", b"bb")
    assert hashes.sha256(tmp_path / "m") != before
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadFile, match=r'"empty" holds no \.safetensors file'):
        hashes.sha256(tmp_path / "empty")
