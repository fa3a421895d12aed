from __future__ import annotations

from pathlib import Path

import pytest

from lib_extension.plan import RecipeFile
from lib_extension.plan.folders import Folder
from lib_extension.session.inputs import Words, asked_of, with_words
from lib_extension.spec.errors import BadRequest, NotFound
from tests.runs.workshop import recipe
from tests.session.rooms import DRAWING


@pytest.fixture
def file(tmp_path: Path) -> RecipeFile:
    """A recipe whose drawing and first row have a picture beside it."""
    (tmp_path / "beside.png").write_bytes(DRAWING)
    (tmp_path / "row.png").write_bytes(DRAWING + b"row")
    inputs = {
        "drawing": {"type": "image", "default": "beside.png"},
        "thing": {"type": "text"},
        "place": {"type": "text", "default": "here"},
    }
    stage = {"id": "a", "type": "img2img", "takes": "drawing", "prompt": "a {thing}"}
    return RecipeFile(recipe(stage, inputs=inputs, rows=[{"drawing": "row.png"}]), Folder(tmp_path))


def test_values_are_set_and_pictures_come_from_where_they_lie(file: RecipeFile, tmp_path: Path):
    asked = asked_of(file, Words(["thing=a=b"]))
    assert asked.values == {"thing": "a=b"}
    assert asked.pictures == {"beside.png": DRAWING, "row.png": DRAWING + b"row"}
    given = asked_of(file, Words([f"drawing={tmp_path / 'row.png'}"]))
    assert given.pictures["drawing"] == DRAWING + b"row"


def test_rows_replace_the_recipes_and_bring_their_pictures(file: RecipeFile, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/other.png").write_bytes(DRAWING + b"other")
    (tmp_path / "elsewhere/rows.csv").write_text("drawing,thing\nother.png,ring\n")
    asked = asked_of(file, Words(rows=tmp_path / "elsewhere/rows.csv"))
    assert asked.whole.rows == ({"drawing": "other.png", "thing": "ring"},)
    assert asked.pictures == {"beside.png": DRAWING, "other.png": DRAWING + b"other"}


def test_pictures_of_rows_stay_in_their_folder(file: RecipeFile, tmp_path: Path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/rows.csv").write_text("drawing\n../row.png\n")
    with pytest.raises(BadRequest, match="refused"):
        asked_of(file, Words(rows=tmp_path / "deep/rows.csv"))


@pytest.mark.parametrize(
    ("word", "error", "message"),
    [
        ("thing", BadRequest, "write name=value"),
        ("thin=x", BadRequest, 'Did you mean "thing"'),
        ("drawing=gone.png", NotFound, "gone.png cannot be read"),
    ],
)
def test_wrong_words_are_named(file: RecipeFile, word: str, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        asked_of(file, Words([word]))
    if word.startswith("drawing"):
        with pytest.raises(error, match=message):
            asked_of(file, Words(axes=[word]))


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("place", "write name=value"),
        ("plaec=x", 'has no axis "plaec". Did you mean "place"'),
        ("stages.b.steps=3", "no path of a stage"),
    ],
)
def test_wrong_axes_are_named(file: RecipeFile, word: str, message: str):
    with pytest.raises(BadRequest, match=message):
        _ = asked_of(file, Words(axes=[word])).whole


def test_a_file_that_is_no_picture_is_refused(file: RecipeFile, tmp_path: Path):
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(BadRequest, match='The picture for "drawing" is not a whole picture'):
        asked_of(file, Words([f"drawing={tmp_path / 'text.png'}"]))


def test_a_repeated_run_takes_other_values_but_no_other_rows(file: RecipeFile, tmp_path: Path):
    asked = asked_of(file, Words(["thing=ring"]))
    assert with_words(asked, Words(["thing=clock"])).values == {"thing": "clock"}
    with pytest.raises(BadRequest, match="brings its rows"):
        with_words(asked, Words(rows=tmp_path / "rows.csv"))
    with pytest.raises(BadRequest, match="brings its rows and axes"):
        with_words(asked, Words(axes=["place=there"]))


def test_an_axis_has_the_values_that_are_said_and_pictures_among_them_are_read(file: RecipeFile, tmp_path: Path):
    words = ["place=here", "place=there", "stages.a.steps=0.5e1", f"drawing={tmp_path / 'row.png'}"]
    asked = asked_of(file, Words(axes=words))
    assert asked.whole.axes == {"place": ["here", "there"], "stages.a.steps": [5.0], "drawing": ["drawing[0]"]}
    assert asked.pictures["drawing[0]"] == DRAWING + b"row"
