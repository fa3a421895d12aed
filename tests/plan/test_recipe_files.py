"""Recipe files: with rows and pictures beside them, or all in one zip; nothing but an AtelierError for whatever comes."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extension.plan import RecipeFile, load_recipe_file
from lib_extension.plan.folders import Folder
from lib_extension.plan.plain_data import write_yaml
from lib_extension.plan.recipe_files import picture_names, read_recipe, read_recipe_file
from lib_extension.plan.recipe_zip import MOST_FILES, pack_recipe
from lib_extension.spec.errors import AtelierError, BadFile, BadRequest, NotFound, TooLarge
from lib_extension.spec.settings import to_json

RECIPE: dict[str, Any] = {
    "version": 1,
    "name": "shots",
    "inputs": {"drawing": {"type": "image", "default": "inputs/watch.png"}, "mask": {"type": "mask", "optional": True}},
    "rows": [{"place": "on a beach"}],
    "rows_file": "rows.csv",
    "axes": {"mask": ["inputs/mask.png", ""]},
    "stages": [{"id": "base", "type": "img2img", "takes": "drawing", "prompt": "{place}"}],
}
FILES = {
    "inputs/watch.png": b"watch",
    "inputs/vase.png": b"vase",
    "inputs/mask.png": b"mask",
    "rows.csv": b"drawing;place\ninputs/vase.png;at night\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "shots.yaml").write_text(write_yaml(RECIPE), "utf-8")
    (tmp_path / "shots.json").write_text(json.dumps(RECIPE), "utf-8")
    return tmp_path


def zipped(files: dict[str, bytes], **changes: Any) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", changes.get("method", zipfile.ZIP_DEFLATED)) as file:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = changes.get("method", zipfile.ZIP_DEFLATED)
            entry.external_attr = changes.get("mode", 0o644) << 16
            file.writestr(entry, content)
    return data.getvalue()


def read_zip(data: bytes, folder: Path) -> RecipeFile:
    return read_recipe_file(data, "shots.zip", Folder(folder))


@pytest.mark.parametrize("name", ["shots.yaml", "shots.json"])
def test_a_recipe_is_read_with_its_rows_and_its_pictures(folder: Path, name: str):
    file = load_recipe_file(folder / name)
    assert file.recipe.rows == ({"place": "on a beach"}, {"drawing": "inputs/vase.png", "place": "at night"})
    assert file.recipe.rows_file == ""
    assert picture_names(file.recipe) == ("inputs/watch.png", "inputs/vase.png", "inputs/mask.png")
    assert picture_names(file.recipe, {"drawing": "blob:x"}) == ("inputs/vase.png", "inputs/mask.png")
    assert [file.read_picture(picture) for picture in picture_names(file.recipe)] == [b"watch", b"vase", b"mask"]


def test_both_forms_are_the_same_recipe(folder: Path):
    assert load_recipe_file(folder / "shots.yaml").recipe == load_recipe_file(folder / "shots.json").recipe


def test_a_recipe_that_is_packed_and_unpacked_is_the_same_with_pictures_by_hash(folder: Path):
    file = load_recipe_file(folder / "shots.yaml")
    packed = pack_recipe(file.recipe, file.read_picture)
    assert packed == pack_recipe(file.recipe, file.read_picture)
    (folder / "other").mkdir()
    (folder / "other" / "shots.zip").write_bytes(packed)
    read = load_recipe_file(folder / "other" / "shots.zip")
    assert [read.read_picture(name) for name in picture_names(read.recipe)] == [b"watch", b"vase", b"mask"]
    assert all(name.startswith("pictures/") for name in picture_names(read.recipe))
    assert read.recipe.stages == file.recipe.stages
    assert [row.get("place") for row in read.recipe.rows] == ["on a beach", "at night"]
    assert pack_recipe(read.recipe, read.read_picture) == packed


def test_files_are_never_read_from_outside(folder: Path):
    inside = folder / "inputs"
    for name in ("../rows.csv", str(folder / "rows.csv"), "..\\rows.csv"):
        (inside / "escape.json").write_text(json.dumps({**RECIPE, "rows_file": name}), "utf-8")
        with pytest.raises(BadRequest, match="is refused"):
            load_recipe_file(inside / "escape.json")
        file = RecipeFile(load_recipe_file(folder / "shots.json").recipe, Folder(inside))
        with pytest.raises(BadRequest, match="is refused"):
            file.read_picture(name)


@pytest.mark.parametrize(
    ("files", "changes", "error", "message"),
    [
        ({"other.txt": b""}, {}, NotFound, 'The recipe shots.zip has no file "recipe.json" in it.'),
        ({"recipe.json": b"{}", "../x.png": b""}, {}, BadRequest, "The file name '../x.png' is refused"),
        ({"recipe.json": b"{}", "/x.png": b""}, {}, BadRequest, "is refused"),
        ({"recipe.json": b"{}", "C:x.png": b""}, {}, BadRequest, "is refused"),
        ({"recipe.json": b"{}"}, {"mode": stat.S_IFLNK | 0o777}, BadFile, "is encrypted, a link, or packed in an unusual way"),
        ({"recipe.json": b"{}"}, {"method": zipfile.ZIP_LZMA}, BadFile, "packed in an unusual way"),
        ({"recipe.json": b" " * 20_000_001}, {}, TooLarge, "has more than 20,000,000 bytes"),
        ({f"{i}.txt": b"" for i in range(MOST_FILES + 1)}, {"method": zipfile.ZIP_STORED}, TooLarge, "more than 10,000 files"),
    ],
)
def test_zips_that_are_not_read(folder: Path, files: dict[str, bytes], changes: dict[str, Any], error: type[AtelierError], message: str):
    with pytest.raises(error) as raised:
        read_zip(zipped(files, **changes), folder)
    assert message in str(raised.value)


def test_a_picture_that_is_not_what_its_name_says_is_refused(folder: Path):
    name = f"pictures/{'0' * 64}.png"
    recipe = {**RECIPE, "rows_file": "", "axes": {}, "inputs": {"drawing": {"type": "image", "default": name}}}
    file = read_zip(zipped({"recipe.json": json.dumps(recipe).encode(), name: b"another"}), folder)
    with pytest.raises(BadFile, match="is not the picture that was packed: its hash is another"):
        file.read_picture(name)


def test_a_zip_that_says_less_than_it_holds_is_not_read_further(folder: Path):
    """The sizes in a zip are its maker's claim."""
    name = "recipe.json"
    data = bytearray(zipped({name: b" " * 1_000_000}))
    for header, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = data.index(header) + at
        data[place : place + 4] = (10).to_bytes(4, "little")
    with pytest.raises(BadFile):
        read_zip(bytes(data), folder)


@pytest.mark.parametrize(
    ("name", "data", "error", "message"),
    [
        ("r.yaml", b"- a", BadFile, "The recipe r.yaml holds no object with a name and stages."),
        ("r.txt", b"{}", BadFile, "The recipe r.txt is no .yaml, .json or .zip file."),
        ("r.yaml", b"name: x\nstagez: []", BadRequest, 'The recipe r.yaml: stagez is not known. Did you mean "stages"?'),
        ("r.zip", b"PK\x03\x04nonsense", BadFile, "The recipe r.zip is not a whole zip file."),
        ("r.yaml", b"name: !!python/name:os.system", BadFile, "only plain values are read"),
    ],
)
def test_files_that_are_no_recipes(tmp_path: Path, name: str, data: bytes, error: type[AtelierError], message: str):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(error) as raised:
        load_recipe_file(tmp_path / name)
    assert message in str(raised.value)
    assert str(tmp_path) not in str(raised.value)


def test_a_file_that_is_not_there_is_told_without_its_folder(tmp_path: Path):
    with pytest.raises(NotFound, match=r"^The recipe shots.yaml cannot be read: No such file or directory\.$"):
        load_recipe_file(tmp_path / "shots.yaml")


def test_rows_files_without_rows_or_with_wrong_paths_are_refused(folder: Path):
    (folder / "rows.csv").write_bytes(b"place\n")
    with pytest.raises(BadFile, match=r'The rows file "rows.csv" has no rows under its names'):
        load_recipe_file(folder / "shots.yaml")
    (folder / "rows.csv").write_bytes(b"stages.bse.steps\n20\n")
    with pytest.raises(BadRequest, match=r'"stages.bse.steps" is no path of a stage, such as stages.refine.steps. Did you mean "base"'):
        load_recipe_file(folder / "shots.yaml")


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
words = st.sampled_from(
    ["version", "name", "inputs", "rows", "axes", "stages", "id", "type", "takes", "mask", "kind", "txt2img", "base", "{x}"]
)
json_values = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150)
@given(
    json_values
    | st.fixed_dictionaries({"name": st.text(max_size=3), "stages": st.lists(json_values, max_size=3)}, optional={"rows": json_values})
)
def test_any_json_is_a_recipe_or_refused(value: Any):
    try:
        recipe = read_recipe(json.dumps(value).encode(), "r.json")
    except AtelierError:
        return
    assert to_json(recipe)["name"] == value["name"]


@settings(max_examples=100)
@given(st.binary(max_size=300), st.sampled_from(["r.yaml", "r.json", "r.zip", "r"]))
def test_any_bytes_are_a_recipe_or_refused(data: bytes, name: str):
    try:
        read_recipe_file(data, name, Folder(Path("/nowhere")))
    except AtelierError:
        return


WHOLE = zipped({"recipe.json": json.dumps({**RECIPE, "rows_file": ""}).encode(), "inputs/watch.png": b"watch" * 50})


@settings(max_examples=200)
@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=4), st.booleans())
def test_a_damaged_zip_is_read_or_refused(place: int, damage: bytes, cut: bool):
    data = WHOLE[:place] if cut else WHOLE[:place] + damage + WHOLE[place + len(damage) :]
    try:
        read_recipe_file(data, "r.zip", Folder(Path("/nowhere"))).read_picture("inputs/watch.png")
    except AtelierError:
        return
