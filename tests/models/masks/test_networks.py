"""Do all ways of finding masks answer alike?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lib_extension.models.masks.found import Places, thing_of
from lib_extension.models.masks.networks import MASK_NETWORKS, MaskNetworks
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import json_schema
from tests.demo_model.scenes import held_out_scene
from tests.models.masks.clipseg_files import write_clipseg
from tests.models.masks.yolo_files import write_detector

DEMO = Path(__file__).parents[3] / "lib_extension" / "models" / "demo"
WATCH = next(scene for scene in (held_out_scene(i) for i in range(100)) if scene.subject.object == "watch")
MUG = next(scene for scene in (held_out_scene(i) for i in range(100)) if scene.subject.object == "mug")


def networks(models: Path) -> MaskNetworks:
    return MaskNetworks(Places(models, DEMO))


def test_the_mask_is_all_things_together(tmp_path: Path) -> None:
    found = networks(tmp_path).find("parts", WATCH.picture, {"parts": ["face", "strap"]})
    assert found.mask is not None
    assert {thing.label for thing in found.things} == {"face", "strap"}
    mask = np.asarray(found.mask)
    assert set(np.unique(mask)) == {0, 255}
    assert np.array_equal(mask > 0, found.things[0].layer | found.things[1].layer)
    true = (np.asarray(WATCH.masks["face"]) > 127) | (np.asarray(WATCH.masks["strap"]) > 127)
    assert ((mask > 0) & true).sum() / ((mask > 0) | true).sum() > 0.7


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    found = networks(tmp_path).find("parts", MUG.picture, {"parts": ["face"]})
    assert (found.mask, found.things) == (None, [])


def test_boxes_are_the_smallest_round_their_things() -> None:
    layer = np.zeros((20, 30), bool)
    layer[3:7, 11:18] = True
    assert thing_of(layer, 1.0, "it").box == (11, 3, 18, 7)


def test_kinds_and_settings_are_checked(tmp_path: Path) -> None:
    found = networks(tmp_path)
    with pytest.raises(BadRequest, match=r'kind "backgroud"\. Did you mean "background"\? There are: background, text, detector, parts'):
        found.find("backgroud", MUG.picture, {})
    with pytest.raises(BadRequest, match=r"settings\.parts\[0\] is 'fase'.*Did you mean \"face\""):
        found.find("parts", MUG.picture, {"parts": ["fase"]})
    with pytest.raises(BadRequest, match=r"settings\.model is missing"):
        found.find("detector", MUG.picture, {})


@pytest.mark.parametrize("network", MASK_NETWORKS, ids=lambda network: str(network.name))
def test_every_kind_says_what_it_can_be_told(network: type) -> None:
    schema = json_schema(network.settings)
    assert schema["additionalProperties"] is False
    assert schema["properties"]


def test_weights_are_listed_by_kind_and_name(tmp_path: Path) -> None:
    assert networks(tmp_path).files() == {"parts/parts": DEMO / "parts" / "model.onnx"}
    file = write_detector(tmp_path / "detectors" / "d.onnx")
    (tmp_path / "rembg").mkdir()
    (tmp_path / "rembg" / "u2net.onnx").write_bytes(b"weights")
    write_clipseg(tmp_path / "clipseg")
    assert {name: path for name, path in networks(tmp_path).files().items() if name != "parts/parts"} == {
        "background/u2net": tmp_path / "rembg" / "u2net.onnx",
        "text/clipseg": tmp_path / "clipseg" / "model.safetensors",
        "detector/d": file,
    }


def test_a_detector_that_is_written_anew_is_loaded_anew(tmp_path: Path) -> None:
    found, file = networks(tmp_path), tmp_path / "detectors" / "d.onnx"
    white = MUG.picture.resize((64, 64)).point(lambda _: 255)
    write_detector(file, names="{0: 'old', 1: 'green'}")
    assert found.find("detector", white, {"model": "d", "classes": ["old"], "max_count": 3}).things[0].label == "old"
    write_detector(file, names="{0: 'new', 1: 'green'}")
    assert found.find("detector", white, {"model": "d", "classes": ["new"]}).things[0].label == "new"
