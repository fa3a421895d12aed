"""Is a CLIPSeg folder loaded and asked rightly, and is it said where its weights belong?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_extension.models.masks.found import Places, Thing
from lib_extension.models.masks.text import Text, TextSettings
from lib_extension.spec.errors import BadFile, BadRequest, NotFound
from lib_extension.spec.settings import from_json
from tests.engine.inside import scene
from tests.models.masks.clipseg_files import told_by_clipseg, write_clipseg


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny CLIPSeg."""
    folder = tmp_path_factory.mktemp("models")
    write_clipseg(folder / "clipseg")
    return folder


def find(models: Path, **settings: Any) -> list[Thing]:
    return Text(Places(models, models)).find(scene(90, 50), from_json(TextSettings, settings))


def told(models: Path, text: str) -> np.ndarray:
    """What the network itself says."""
    return told_by_clipseg(models / "clipseg", text, scene(90, 50))


def test_the_mask_is_where_the_network_is_sure(models: Path) -> None:
    share = told(models, "a disc")
    threshold = float(np.median(share))
    (thing,) = find(models, text="a disc", threshold=threshold)
    wide = np.asarray(Image.fromarray(share).resize((90, 50), Image.Resampling.BILINEAR))
    assert np.array_equal(thing.layer, wide >= threshold)
    assert 0.1 < thing.layer.mean() < 0.9
    assert (thing.label, thing.score) == ("a disc", pytest.approx(share.max()))


def test_things_are_looked_for_one_by_one(models: Path) -> None:
    texts = ("a disc", "a long black bar")
    found = find(models, text="a disc, a long black bar,", threshold=0.0)
    assert {thing.label: pytest.approx(thing.score, abs=1e-4) for thing in found} == {text: told(models, text).max() for text in texts}
    assert [thing.score for thing in found] == sorted((thing.score for thing in found), reverse=True)


def test_nothing_is_found_where_it_is_not_sure(models: Path) -> None:
    assert find(models, text="a disc", threshold=1) == []


def test_missing_weights_say_where_they_belong(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"CIDAS/clipseg-rd64-refined into clipseg/ in the models folder"):
        find(tmp_path, text="a disc")


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "clipseg").mkdir()
    (tmp_path / "clipseg" / "config.json").write_text("{}")
    with pytest.raises(BadFile, match="cannot be read as CLIPSeg"):
        find(tmp_path, text="a disc")


@pytest.mark.parametrize(("text", "words"), [(" , ", "is empty"), ("a," * 40, "names 40 things; 16")])
def test_texts_that_name_nothing_or_too_much_are_refused(models: Path, text: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        find(models, text=text)
