"""Do the demo model's tagger and its depth and parts network see what is drawn, and say clearly when their files are wrong?"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_extension.models.parts import Parts
from lib_extension.models.tagger import Tagger, read_tags
from lib_extension.spec.errors import BadFile, NotFound
from tests.demo_model.objects import COLOURS
from tests.demo_model.places import PLACES
from tests.demo_model.scenes import TAGGED_OBJECTS, held_out_tagger_scene

DEMO = Path(__file__).parents[2] / "lib_extension" / "models" / "demo"
SCENES = [held_out_tagger_scene(i) for i in range(40)]


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger(DEMO / "tagger")


@pytest.fixture(scope="module")
def parts() -> Parts:
    return Parts(DEMO / "parts")


@pytest.mark.parametrize(("group", "words"), [("colour", COLOURS), ("object", TAGGED_OBJECTS), ("place", PLACES)])
def test_the_tagger_names_what_is_drawn(tagger: Tagger, group: str, words: tuple[str, ...]) -> None:
    right = 0
    for scene in SCENES:
        tags = tagger.tags(scene.picture)
        right += max(words, key=lambda word: tags[word]) == getattr(scene.subject, group)
    assert right >= 38


def test_a_caption_has_the_certain_tags_first(tagger: Tagger) -> None:
    scene = next(s for s in SCENES if s.subject.object == "watch")
    assert {"watch", scene.subject.colour, scene.subject.place} <= set(tagger.caption(scene.picture).split(", "))


def test_the_form_is_that_of_the_wd14_taggers() -> None:
    tags = read_tags(DEMO / "tagger" / "selected_tags.csv")
    assert [tag.name for tag in tags[:4]] == ["general", "sensitive", "questionable", "explicit"]
    assert [tag.category for tag in tags[:4]] == ["9"] * 4
    assert {tag.category for tag in tags[4:]} == {"0"}


def test_ratings_are_no_tags_and_transparent_ground_is_white(tagger: Tagger) -> None:
    clear = Image.new("RGBA", (60, 90), (0, 0, 0, 0))
    white = Image.new("RGB", (60, 90), (255, 255, 255))
    assert tagger.tags(clear) == tagger.tags(white)
    assert "general" not in tagger.tags(white)


def test_alike_scenes_have_alike_embeddings(tagger: Tagger) -> None:
    same = tagger.embedding(SCENES[0].picture), tagger.embedding(SCENES[0].picture.resize((256, 256), Image.Resampling.BICUBIC))
    other = tagger.embedding(next(s for s in SCENES if s.subject.object != SCENES[0].subject.object).picture)
    assert same[0] is not None
    assert same[1] is not None
    assert other is not None
    assert np.linalg.norm(same[0] - same[1]) < 0.5 * np.linalg.norm(same[0] - other)


@pytest.mark.parametrize(("part", "wanted"), [("object", 0.9), ("face", 0.8), ("strap", 0.6), ("ground", 0.9)])
def test_part_masks_cover_the_parts(parts: Parts, part: str, wanted: float) -> None:
    both = either = 0
    for scene in SCENES:
        mine, true = (np.asarray(mask) > 127 for mask in (parts.masks(scene.picture)[part], scene.masks[part]))
        both, either = both + (mine & true).sum(), either + (mine | true).sum()
    assert both / either > wanted


def test_depth_is_near_the_true_depth(parts: Parts) -> None:
    off = [np.abs(np.asarray(parts.depth(s.picture), int) - np.asarray(s.depth, int)).mean() for s in SCENES]
    assert np.mean(off) < 10


@pytest.mark.parametrize("size", [(128, 128), (96, 160), (301, 77), (512, 512)])
def test_layers_have_the_pictures_size(parts: Parts, size: tuple[int, int]) -> None:
    picture = SCENES[0].picture.resize(size)
    assert parts.depth(picture).size == size
    assert {mask.size for mask in parts.masks(picture).values()} == {size}


def test_a_missing_network_says_where_it_belongs(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"tagger is missing: put its model\.onnx into the folder"):
        Tagger(tmp_path)


def test_rubbish_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"rubbish" * 100)
    with pytest.raises(BadFile, match="cannot be read as ONNX"):
        Parts(tmp_path)


def test_another_networks_file_is_refused(tmp_path: Path) -> None:
    shutil.copy(DEMO / "tagger" / "model.onnx", tmp_path)
    with pytest.raises(BadFile, match="it is another network's file"):
        Parts(tmp_path)


@pytest.mark.parametrize("table", ["tag,count\nred,1\n", "tag_id,name,category,count\n0,general,9,1\n"])
def test_a_list_of_tags_that_does_not_fit_is_refused(tmp_path: Path, table: str) -> None:
    shutil.copy(DEMO / "tagger" / "model.onnx", tmp_path)
    (tmp_path / "selected_tags.csv").write_text(table)
    with pytest.raises(BadFile, match=r"selected_tags\.csv"):
        Tagger(tmp_path)
