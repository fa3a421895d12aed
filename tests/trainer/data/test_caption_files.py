from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_extension.captions.decoding import decoded
from tests.trainer.data.drawn import folder, picture, settings
from trainer.data import mistakes
from trainer.data.examples import Found, find_examples
from trainer.data.mistakes import Mistake


def caption(at: Path, **concept: object) -> tuple[str, Found]:
    """That of the only picture."""
    found = find_examples(settings({"folder": str(at), **concept}))
    return found.examples[0].caption if found.examples else "", found


def told(found: Found) -> list[tuple[str, str]]:
    return [(one.file, one.what) for one in found.problems]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["a café, mug", "x"])
def test_captions_in_unicode(tmp_path: Path, encoding: str, text: str):
    picture(tmp_path / "0.png")
    (tmp_path / "0.txt").write_bytes(f" {text}\r\n".encode(encoding))
    assert caption(tmp_path) == (text, find_examples(settings(tmp_path)))
    assert find_examples(settings(tmp_path)).problems == ()


def test_japanese_captions():
    assert decoded("赤い時計、海辺".encode()).text == "赤い時計、海辺"
    assert decoded("赤い時計、海辺".encode("utf-16")).text == "赤い時計、海辺"


def test_a_caption_in_windows_encoding_is_read_and_told(tmp_path: Path):
    picture(tmp_path / "0.png")
    (tmp_path / "0.txt").write_bytes("a café – mug".encode("cp1252"))
    text, found = caption(tmp_path)
    assert text == "a café – mug"
    assert told(found) == [(f"{tmp_path.name}/0.png", mistakes.NOT_UTF8.what)]
    assert found.problems[0].detail == "a café – mug"


def test_endings_are_known_in_capitals_too(tmp_path: Path):
    picture(tmp_path / "0.png")
    (tmp_path / "0.TXT").write_text("in capitals")
    assert caption(tmp_path) == ("in capitals", find_examples(settings(tmp_path)))
    assert find_examples(settings(tmp_path)).problems == ()
    (tmp_path / "0.txt").write_text("as it is asked for")
    assert caption(tmp_path)[0] == "as it is asked for"


@pytest.mark.parametrize("data", [b"\0\0\0\0binary", bytes(range(256)), b"\x81\x8d"])
def test_a_caption_file_that_is_no_text(tmp_path: Path, data: bytes):
    folder(tmp_path, 2)
    (tmp_path / "0.txt").write_bytes(data)
    found = find_examples(settings(tmp_path))
    assert (f"{tmp_path.name}/0.png", mistakes.NOT_TEXT.what) in told(found)
    assert found.fatal
    assert len(find_examples(settings(tmp_path, leave_out_bad=True)).examples) == 1


@pytest.mark.parametrize(
    ("files", "expected", "mistake"),
    [
        ({"0.caption": "a mug"}, "a mug", None),
        ({"0.caption": "b", "0.txt": "a"}, "a", mistakes.TWO_CAPTIONS),
        ({"0.caption": "a", "0.txt": "a "}, "a", None),
        ({"0.txt": " \n"}, "", mistakes.EMPTY_CAPTION),
        ({"0.txt": "a", "1.txt": "b"}, "a", mistakes.LONELY_CAPTION),
    ],
)
def test_caption_files(tmp_path: Path, files: dict[str, str], expected: str, mistake: Mistake | None):
    picture(tmp_path / "0.png")
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    text, found = caption(tmp_path)
    assert text == expected
    assert [what for _, what in told(found)] == ([mistake.what] if mistake else [])


def test_endings_may_be_chosen(tmp_path: Path):
    picture(tmp_path / "0.png")
    (tmp_path / "0.txt").write_text("tags")
    (tmp_path / "0.words").write_text("sentence")
    assert caption(tmp_path, extensions=[".words"])[0] == "sentence"


def test_metadata_as_the_datasets_library_has_it(tmp_path: Path):
    for number in range(3):
        picture(tmp_path / f"{number}.png", seed=number)
    rows = [{"file_name": "0.png", "text": "from text"}, {"file_name": "1.png", "caption": "from caption", "other": 3}]
    (tmp_path / "metadata.jsonl").write_text("\n\n".join(map(json.dumps, rows)))
    (tmp_path / "2.txt").write_text("beside")
    found = find_examples(settings(tmp_path))
    assert found.problems == ()
    assert [one.caption for one in found.examples] == ["from text", "from caption", "beside"]


def test_a_file_beside_the_picture_counts_before_metadata(tmp_path: Path):
    folder(tmp_path, 1)
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "0.png", "text": "common"}')
    assert caption(tmp_path)[0] == "a mug, 0"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('{"file_name": "0.png", "text": "a"}\n{"file_name"', "line 2 is no JSON"),
        ('{"file_name": "0.png"}', 'line 1 lacks "file_name" or "text"'),
        ("[1]", 'line 1 lacks "file_name" or "text"'),
        ("\0\0\0", "it is no text"),
    ],
)
def test_metadata_that_cannot_be_read(tmp_path: Path, text: str, detail: str):
    folder(tmp_path, 1)
    (tmp_path / "metadata.jsonl").write_text(text)
    found = find_examples(settings(tmp_path))
    assert [(one.file, one.what, one.detail) for one in found.problems] == [("metadata.jsonl", mistakes.BAD_METADATA.what, detail)]
    assert found.fatal


def test_metadata_of_pictures_that_are_not_there(tmp_path: Path):
    folder(tmp_path, 1)
    (tmp_path / "metadata.jsonl").write_text("\n".join(json.dumps({"file_name": f"x{number}.png", "text": "a"}) for number in range(7)))
    found = find_examples(settings(tmp_path))
    assert [one.what for one in found.problems] == [mistakes.UNKNOWN_METADATA.what]
    assert found.problems[0].detail == "x0.png, x1.png, x2.png, x3.png, x4.png and 2 more"


def test_metadata_of_kohyas_trainer(tmp_path: Path):
    picture(tmp_path / "mugs" / "0.png")
    picture(tmp_path / "mugs" / "1.png", seed=1)
    table = {"C:\\data\\0": {"caption": "a mug", "tags": "red, big"}, str(tmp_path / "mugs" / "1.png"): {"tags": "blue"}}
    (tmp_path / "meta.json").write_text(json.dumps(table))
    found = find_examples(settings({"folder": str(tmp_path / "mugs"), "metadata": str(tmp_path / "meta.json")}))
    assert found.problems == ()
    assert [one.caption for one in found.examples] == ["a mug, red, big", "blue"]


@pytest.mark.parametrize(("text", "detail"), [("{", "it is no JSON"), ("[]", "it is no table of pictures")])
def test_bad_metadata_of_kohyas_trainer(tmp_path: Path, text: str, detail: str):
    folder(tmp_path / "mugs", 1)
    (tmp_path / "meta.json").write_text(text)
    found = find_examples(settings({"folder": str(tmp_path / "mugs"), "metadata": str(tmp_path / "meta.json")}))
    assert [one.detail for one in found.problems] == [detail]


def test_a_file_of_captions_that_is_not_there(tmp_path: Path):
    folder(tmp_path / "mugs", 1)
    found = find_examples(settings({"folder": str(tmp_path / "mugs"), "metadata": "nowhere.jsonl"}))
    assert [one.what for one in found.problems] == [mistakes.BAD_METADATA.what]
