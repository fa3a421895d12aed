"""What do the modules make of a picture?"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from lib_extension.engine.annotators import MODULES, RESOLUTION, Annotators, Numbers, find_module, module_names, numbers_of, pixel_perfect
from lib_extension.engine.aux_process import PACKAGES, AuxProcess
from lib_extension.spec.errors import BadFile, BadRequest, NotFound
from tests.engine.inside import Grey, scene

PICTURE = np.asarray(scene(96, 64))


@pytest.fixture
def annotators(tmp_path: Path) -> Annotators:
    return Annotators(Grey(), tmp_path)


def run(annotators: Annotators, name: str, resolution: int = 64, a: float = -1, b: float = -1) -> np.ndarray:
    module = find_module(name)
    return annotators.map(module, PICTURE, numbers_of(module, resolution, a, b, lenient=False))


def test_canny_is_opencvs_at_the_resolution_asked_for(annotators: Annotators) -> None:
    padded = np.pad(PICTURE, ((0, 0), (0, 32), (0, 0)), mode="edge")
    expected = cv2.Canny(padded, 100, 200)[:, :96]
    assert np.array_equal(run(annotators, "canny"), np.stack([expected] * 3, axis=2))
    assert run(annotators, "canny", 128).shape == (128, 192, 3)


def test_thresholds_have_an_effect(annotators: Annotators) -> None:
    assert (run(annotators, "canny", a=1, b=10) > 0).sum() >= (run(annotators, "canny", a=200, b=250) > 0).sum()


def test_plain_modules(annotators: Annotators) -> None:
    assert np.array_equal(run(annotators, "none"), PICTURE)
    assert np.array_equal(run(annotators, "invert"), 255 - PICTURE)
    assert run(annotators, "tile_resample", a=2).shape == (32, 48, 3)
    assert np.array_equal(run(annotators, "depth")[:, :, 0], np.asarray(scene(96, 64).convert("L")))
    assert set(np.unique(run(annotators, "threshold"))) <= {0, 255}
    assert run(annotators, "blur_gaussian").std() < PICTURE.std()


def test_labels_mean_their_modules() -> None:
    assert find_module("depth_midas").name == "depth"
    assert find_module("invert (from white bg & black line)").name == "invert"
    with pytest.raises(BadRequest, match='Did you mean "canny"'):
        find_module("cany")


def test_modules_have_the_recorded_sliders() -> None:
    recorded = json.loads((Path(__file__).parents[1] / "data" / "controlnet_modules.json").read_text())
    for module in MODULES:
        assert [vars(slider) for slider in module.sliders] == recorded[module.name], module.name
    assert set(recorded) <= set(module_names())


def test_numbers_below_zero_are_the_modules_own() -> None:
    canny = find_module("canny")
    assert numbers_of(canny, -1, -1, -1, lenient=False) == Numbers(512, 100, 200)
    assert numbers_of(canny, 9999, 300, 150, lenient=True) == Numbers(512, 100, 150)
    assert numbers_of(find_module("none"), 64, 64, 64, lenient=False) == Numbers(64, 0.5, 0.5)
    with pytest.raises(BadRequest, match=f"processor_res is 32; for the module canny it must be from {RESOLUTION.min}"):
        numbers_of(canny, 32, -1, -1, lenient=False)


def test_pixel_perfect_is_the_scale_of_the_picture_to_come() -> None:
    assert pixel_perfect(PICTURE, 192, 128, fits_inside=False) == 128
    assert pixel_perfect(PICTURE, 96, 128, fits_inside=False) == 128
    assert pixel_perfect(PICTURE, 96, 128, fits_inside=True) == 64


def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="needs controlnet-aux, which is not installed"):
        AuxProcess(tmp_path).detect("lineart_standard", PICTURE, 64)
    (tmp_path / "controlnet_aux").mkdir()
    with pytest.raises(NotFound, match=r"sk_model\.pth and sk_model2\.pth\. Put them into annotators/ in the models folder"):
        AuxProcess(tmp_path, tmp_path / "annotators").detect("lineart", PICTURE, 64)


def test_a_detector_that_breaks_is_reported_and_can_be_asked_again(tmp_path: Path) -> None:
    package = tmp_path / "controlnet_aux"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('not today')")
    (tmp_path / "torchvision.py").write_text("")
    process = AuxProcess(tmp_path)
    try:
        for _ in range(2):
            with pytest.raises(BadFile, match="not today"):
                process.detect("lineart_standard", PICTURE, 64)
    finally:
        process.close()


@pytest.mark.skipif(not (PACKAGES / "controlnet_aux").is_dir(), reason="controlnet-aux is not installed")
def test_detectors_without_weights_run_in_their_own_process() -> None:
    annotators = Annotators(Grey())
    try:
        lines = run(annotators, "lineart_standard")
        shuffled = run(annotators, "shuffle", 512)
        assert np.array_equal(run(annotators, "shuffle", 512), shuffled)
    finally:
        annotators.close()
    assert lines.shape == PICTURE.shape
    assert lines.std() > 1
    assert shuffled.shape == (512, 768, 3)
    assert importlib.util.find_spec("torchvision") is None
    assert "controlnet_aux" not in sys.modules
