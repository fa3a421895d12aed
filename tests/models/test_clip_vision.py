from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lib_extension.engine.judges import CLIP, TAGGER, Judges
from lib_extension.models.clip_vision import ClipVision
from lib_extension.spec.errors import BadFile
from tests.engine.inside import scene
from tests.models.clip_files import WIDTH, told_by_clip, write_clip

DEMO = Path(__file__).parents[2] / "lib_extension" / "models" / "demo"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with a tiny CLIP."""
    folder = tmp_path_factory.mktemp("models")
    write_clip(folder / "clip_vision")
    return folder


@pytest.mark.parametrize("size", [(90, 50), (32, 32), (20, 70)])
def test_a_picture_is_seen_as_the_whole_clip_sees_it(models: Path, size: tuple[int, int]):
    found = np.array(Judges(DEMO, models).embedding(scene(*size), CLIP))
    assert found.shape == (WIDTH,)
    assert found == pytest.approx(told_by_clip(models / "clip_vision", scene(*size)), abs=1e-5)


def test_the_users_network_is_taken_and_the_demos_where_there_is_none(models: Path, tmp_path: Path):
    assert Judges(DEMO, models).embedding_network() == CLIP
    bare = Judges(DEMO, tmp_path)
    assert bare.embedding_network() == TAGGER
    assert len(bare.embedding(scene(64, 64), TAGGER)) == 128
    files = {"tags/tags": DEMO / "tagger/model.onnx", "embedding/embedding": DEMO / "tagger/model.onnx"}
    assert files.items() <= bare.files().items()
    assert Judges(DEMO, models).files()["embedding/embedding"] == models / "clip_vision"


def test_another_network_in_its_place_is_loaded_anew(models: Path, tmp_path: Path):
    shutil.copytree(models / "clip_vision", tmp_path / "clip_vision")
    network = ClipVision(tmp_path)
    before = network.embedding(scene(40, 40))
    assert (network.embedding(scene(40, 40)) == before).all()
    write_clip(tmp_path / "clip_vision", seed=1)
    assert np.abs(network.embedding(scene(40, 40)) - before).max() > 0.01


@pytest.mark.parametrize("harm", ["pickle", "cut", "no processor", "another width", "another kind"])
def test_what_is_no_whole_safe_download_says_what_belongs_there(models: Path, tmp_path: Path, harm: str):
    folder = tmp_path / "clip_vision"
    shutil.copytree(models / "clip_vision", folder)
    weights = folder / "model.safetensors"
    if harm == "pickle":
        weights.unlink()
        torch.save({}, folder / "pytorch_model.bin")
    elif harm == "cut":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif harm == "no processor":
        (folder / "preprocessor_config.json").unlink()
    else:
        old, new = {"another width": ('"projection_dim": 12', '"projection_dim": 8'), "another kind": ('"clip"', '"vit"')}[harm]
        config = (folder / "config.json").read_text()
        assert old in config
        (folder / "config.json").write_text(config.replace(old, new))
    judges = Judges(DEMO, tmp_path)
    assert judges.embedding_network() == CLIP, "another network in its place would be a surprise"
    with pytest.raises(BadFile, match=r"clip_vision/ cannot be read.*model\.safetensors"):
        judges.embedding(Image.new("RGB", (9, 9)), CLIP)
    assert judges.files()["embedding/embedding"].exists()
