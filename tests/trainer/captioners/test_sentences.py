"""Do the transformers captioners load their folders and write a sentence for each picture, whatever its mode?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from lib_extension.spec.captioning import CaptionerSettings
from lib_extension.spec.errors import BadFile, NotFound
from lib_extension.spec.settings import read_value
from tests.demo_model.scenes import training_scene
from tests.trainer.captioners.tiny_models import write_blip, write_blip2, write_florence2
from trainer.captioners import open_captioner

KINDS: dict[str, Callable[[Path], None]] = {"blip": write_blip, "blip2": write_blip2, "florence2": write_florence2}


@pytest.fixture(scope="module", params=KINDS)
def kind_and_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param)
    KINDS[request.param](folder)
    return request.param, folder


def opened(kind: str, folder: Path, **more: object):
    return open_captioner(read_value(CaptionerSettings, {"kind": kind, "model": str(folder), "longest": 6, "beams": 2, **more}), "cpu")


def test_each_picture_gets_its_sentence_alone_or_in_a_batch(kind_and_folder: tuple[str, Path]) -> None:
    captioner = opened(*kind_and_folder)
    pictures = [training_scene(i).picture for i in range(3)]
    pictures[1] = pictures[1].convert("RGBA")
    pictures[2] = pictures[2].convert("L").resize((90, 40))
    together = captioner.describe(pictures)
    assert len(together) == 3
    assert all(isinstance(one.sentence, str) and not one.problem and not one.tags for one in together)
    assert together == [captioner.describe([picture])[0] for picture in pictures]
    for one in together:
        assert not any(mark in one.sentence for mark in ("<s>", "</s>", "<pad>", "[CLS]", "[SEP]", "<image>"))


@pytest.mark.parametrize("kind", ["blip", "blip2"])
def test_a_prompt_is_begun_with_or_answered(kind: str, tmp_path: Path) -> None:
    KINDS[kind](tmp_path)
    said = opened(kind, tmp_path, prompt="a photo").describe([training_scene(0).picture])[0].sentence
    assert said.startswith("a photo") == (kind == "blip")


def test_no_folder_no_hub_and_another_model(kind_and_folder: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, _ = kind_and_folder
    with pytest.raises(NotFound, match="There is no folder"):
        opened(kind, tmp_path / "none")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BadFile, match="holds no such captioning model"):
        opened(kind, tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(NotFound, match=r"is not on this machine\. HF_HUB_OFFLINE=0"):
        open_captioner(read_value(CaptionerSettings, {"kind": kind, "model": "atelier-tests/no-such-model"}), "cpu")


def test_weights_that_are_pickles_are_not_opened(tmp_path: Path) -> None:
    import torch

    write_blip(tmp_path)
    torch.save({}, tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(BadFile, match="holds no such captioning model"):
        opened("blip", tmp_path)


def test_a_picture_of_one_pixel_is_described(kind_and_folder: tuple[str, Path]) -> None:
    assert not opened(*kind_and_folder).describe([Image.new("RGB", (1, 1))])[0].problem
