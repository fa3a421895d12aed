"""Do captions go to other programs' files and come back the same?"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from lib_extension.captions.exchange import export
from lib_extension.captions.files import read_folder
from lib_extension.captions.reading import read_from
from lib_extension.spec.captions import ExportSettings, Form
from lib_extension.spec.errors import BadFile, BadRequest
from trainer.data.caption_files import captions_of
from trainer.data.folders import places_of
from trainer.data.kohya import read_dataset
from trainer.data.masks import masks_of

TEXTS = {"a.png": "red, mug\ntwo,  lines", "in/b.jpg": 'a "blue" watch', "ünï.webp": "grün, ☕"}


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
    settings = read_dataset(tmp_path / "out" / "dataset.toml").settings
    plain, masked = places_of(settings)[0]
    assert (plain.concept.folder.name, masked.concept.folder.name) == ("3_my mug", "3_my mug-masked")
    assert sorted(path.name for path in plain.concept.folder.iterdir()) == sorted(["in_b.jpg", "in_b.txt", "ünï.webp", "ünï.txt"])
    assert sorted(path.name for path in masked.concept.folder.iterdir()) == ["a.png", "a.txt"], "kohya's trainer learns every image"
    assert {picture.name: mask.read_bytes() for picture, mask in masks_of(masked).items()} == {"a.png": b"mask"}
    assert masks_of(plain) == {}
    assert list(captions_of(masked)[0].values()) == [TEXTS["a.png"]]
    assert (plain.concept.repeats, settings.resolution) == (3, 256)


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
    assert card.startswith("# Mugs\n\n3 pictures with captions, 0 of them empty; 7 different tags.")
    assert "| two | 1 |" in card


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


@pytest.mark.parametrize(
    ("pictures", "told", "meant", "strange"),
    [
        (["cat/01.png", "dog/01.png"], ["/data/set/cat/01.png", "/data/set/dog/01.png"], {"cat/01.png": 0, "dog/01.png": 1}, []),
        (["cat/01.png", "dog/01.png"], ["/data/set/cat/01", "D:\\set\\dog\\01"], {"cat/01.png": 0, "dog/01.png": 1}, []),
        (["cat/01.png", "dog/01.png"], ["01.png"], {}, ["01.png"]),
        (["cat/01.png"], ["01.png"], {"cat/01.png": 0}, []),
        (["cat/01.png"], ["dog/01.png"], {}, ["dog/01.png"]),
        (["01.png", "in/01.png"], ["01.png", "in/01.png"], {"01.png": 0, "in/01.png": 1}, []),
        (["01.png", "in/01.png"], ["./in/01", "01"], {"01.png": 1, "in/01.png": 0}, []),
        (["01.png"], ["{folder}/01.png", "/data/dog/01.png"], {"01.png": 0}, ["/data/dog/01.png"]),
        (["01.png"], ["/data/cat/01.png", "/data/dog/01.png"], {}, ["/data/cat/01.png", "/data/dog/01.png"]),
        (["img.png", "img.v2.png"], ["img.v2", "img"], {"img.v2.png": 0, "img.png": 1}, []),
        (["img.png"], ["img.v2"], {}, ["img.v2"]),
        (["a.png"], ["a.JPG"], {"a.png": 0}, []),
        (["a.png", "in/a.jpg"], ["in/a.png"], {"in/a.jpg": 0}, []),
        (["a.png", "a.jpg"], ["a"], {"a.jpg": 0}, []),
    ],
)
def test_a_name_means_one_picture_or_none(
    tmp_path: Path, pictures: list[str], told: list[str], meant: dict[str, int], strange: list[str]
) -> None:
    for name in pictures:
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(b"")
    names = [name.replace("{folder}", str(tmp_path / "set")) for name in told]
    (tmp_path / "meta.json").write_text(json.dumps({name: str(number) for number, name in enumerate(names)}), "utf-8")
    changes, unknown = read_from(tmp_path / "meta.json", read_folder(tmp_path / "set"))
    assert {change.captioned.name: int(change.after) for change in changes} == meant
    assert unknown == strange


def test_a_file_that_names_folders_is_for_the_trainer(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="python -m trainer captions"):
        read_from(tmp_path / "dataset.toml", read_folder(folder))


def test_halves_of_letters_are_refused(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "metadata.jsonl"
    file.write_text('{"file_name": "a.png", "text": "\\ud83d"}', "utf-8")
    with pytest.raises(BadFile, match="neither a metadata"):
        read_from(file, read_folder(folder))
