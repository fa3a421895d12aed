"""Do captions go to other programs' files and come back the same?"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from lib_extension.captions.exchange import export, read_from
from lib_extension.captions.files import read_folder
from lib_extension.spec.captions import ExportSettings, Form
from lib_extension.spec.errors import BadFile, BadRequest

TEXTS = {"a.png": "red, mug", "in/b.jpg": 'a "blue" watch', "ünï.webp": "grün, ☕"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    for name, text in TEXTS.items():
        picture = data / name
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(name.encode())
        picture.with_suffix(".txt").write_text(text + "\n", "utf-8")
    return data


@pytest.mark.parametrize(("form", "file"), [("json", "captions.json"), ("metadata.jsonl", "metadata.jsonl")])
def test_files_of_captions_come_back(folder: Path, tmp_path: Path, form: Form, file: str) -> None:
    export(read_folder(folder), ExportSettings(str(tmp_path / "out"), form))
    changes, strange = read_from(tmp_path / "out" / file, read_folder(folder))
    assert (changes, strange) == ([], [])
    for text in folder.rglob("*.txt"):
        text.unlink()
    changes, _ = read_from(tmp_path / "out" / file, read_folder(folder))
    assert {change.captioned.name: change.after for change in changes} == TEXTS


@pytest.mark.parametrize("form", ["txt", "caption"])
def test_texts_stand_as_the_pictures_do(folder: Path, tmp_path: Path, form: Form) -> None:
    export(read_folder(folder), ExportSettings(str(tmp_path / "out"), form, card=False))
    assert (tmp_path / "out" / f"in/b.{form}").read_text("utf-8") == 'a "blue" watch\n'
    assert len(list((tmp_path / "out").rglob("*.*"))) == 3


def test_a_kohya_folder_is_read_back_by_the_trainer(folder: Path, tmp_path: Path) -> None:
    (folder / "a-masklabel.png").write_bytes(b"mask")
    export(read_folder(folder), ExportSettings(str(tmp_path / "out"), "kohya", "my mug", repeats=3, resolution=256))
    concept = tmp_path / "out" / "3_my mug"
    assert sorted(path.name for path in concept.iterdir()) == sorted(
        ["a.png", "a.txt", "a-masklabel.png", "in_b.jpg", "in_b.txt", "ünï.webp", "ünï.txt"]
    )
    toml = (tmp_path / "out" / "dataset.toml").read_text("utf-8")
    assert "num_repeats = 3" in toml
    assert "resolution = 256" in toml


def test_kohyas_metadata_is_read_with_tags_and_without_endings(folder: Path, tmp_path: Path) -> None:
    told = {"C:\\x\\a": {"caption": "a mug", "tags": ["red", "new"]}, "b": "plain", "gone": {"tags": "x"}}
    (tmp_path / "meta.json").write_text(json.dumps(told), "utf-8")
    changes, strange = read_from(tmp_path / "meta.json", read_folder(folder))
    assert {change.captioned.name: change.after for change in changes} == {"a.png": "a mug, red, new", "in/b.jpg": "plain"}
    assert strange == ["gone"]


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 5}', "\x00"])
def test_what_is_no_file_of_captions_is_refused(folder: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "meta.json").write_text(text, "utf-8")
    with pytest.raises(BadFile, match=r"meta\.json"):
        read_from(tmp_path / "meta.json", read_folder(folder))
    (tmp_path / "meta.jsonl").write_text('{"file_name": "a.png"}\n', "utf-8")
    with pytest.raises(BadFile, match="has none of text, caption, prompt"):
        read_from(tmp_path / "meta.jsonl", read_folder(folder))


def test_nothing_is_written_over(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("x")
    with pytest.raises(BadRequest, match="is not empty"):
        export(read_folder(folder), ExportSettings(str(tmp_path / "out")))
    with pytest.raises(BadRequest, match="no captions to export"):
        export([], ExportSettings(str(tmp_path / "new")))


def test_a_card_says_what_is_in_it(folder: Path, tmp_path: Path) -> None:
    export(read_folder(folder), ExportSettings(str(tmp_path / "out"), name="Mugs"))
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert card.startswith("# Mugs\n\n3 pictures with captions, 0 of them empty; 5 different tags.")
    assert "| red | 1 |" in card


def test_pictures_of_nearly_one_name_all_reach_kohyas_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name in ("in/a.png", "in_a.jpg", "IN_A.webp"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(name.encode())
        (data / name).with_suffix(".txt").write_text(f"of {name}")
    export(read_folder(data), ExportSettings(str(tmp_path / "out"), "kohya", card=False))
    folder = tmp_path / "out" / "10_dataset"
    pictures = [path for path in folder.iterdir() if path.suffix != ".txt"]
    assert len({path.stem.casefold() for path in pictures}) == 3
    for path in pictures:
        assert path.with_suffix(".txt").read_text().strip() == f"of {path.read_text()}"


def test_names_are_known_however_their_letters_are_composed(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "metadata.jsonl"
    file.write_text(
        json.dumps({"file_name": unicodedata.normalize("NFD", "ünï.webp"), "text": "one\u2028two"}, ensure_ascii=False), "utf-8"
    )
    changes, strange = read_from(file, read_folder(folder))
    assert ([(one.captioned.name, one.after) for one in changes], strange) == ([("ünï.webp", "one\u2028two")], [])


def test_halves_of_letters_are_refused(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "metadata.jsonl"
    file.write_text('{"file_name": "a.png", "text": "\\ud83d"}', "utf-8")
    with pytest.raises(BadFile, match="neither a metadata"):
        read_from(file, read_folder(folder))
