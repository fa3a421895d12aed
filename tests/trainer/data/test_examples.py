"""Every mistake of every folder is told, at once; nothing in the folders is changed."""

from __future__ import annotations

import hashlib
import io
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_extension.spec.errors import BadRequest
from tests.trainer.data.drawn import folder, picture, settings
from trainer.data import mistakes
from trainer.data.examples import MEMORY, Found, find_examples
from trainer.data.mistakes import Mistake


def whats(found: Found) -> dict[str, set[str]]:
    """Which files have which mistakes."""
    return {what: {one.file for one in found.problems if one.what == what} for what in {one.what for one in found.problems}}


def only(found: Found, mistake: Mistake) -> set[str]:
    """The files with this mistake, which is the only one."""
    assert set(whats(found)) == {mistake.what}
    return whats(found)[mistake.what]


def huge_png(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def animation(file: Path) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    frames[0].save(file, save_all=True, append_images=frames[1:])


def contents(at: Path) -> dict[str, str]:
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(at.rglob("*")) if file.is_file()}


def test_a_folder_of_pictures_and_captions(tmp_path: Path):
    folder(tmp_path / "mugs", 3)
    found = find_examples(settings(tmp_path / "mugs"))
    assert found.problems == ()
    assert [one.name for one in found.examples] == ["mugs/0.png", "mugs/1.png", "mugs/2.png"]
    assert [one.caption for one in found.examples] == ["a mug, 0", "a mug, 1", "a mug, 2"]
    first = found.examples[0]
    assert first.sha256 == hashlib.sha256(first.file.read_bytes()).hexdigest()
    assert (first.width, first.height, first.prior, first.masked) == (64, 64, False, False)


def damaged_avif(file: Path) -> None:
    """One that Pillow's reader says something of its own of."""
    data = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(data, "AVIF")
    for place in range(len(data.getvalue())):
        damaged = bytearray(data.getvalue())
        damaged[place] ^= 0xFF
        try:
            Image.open(io.BytesIO(damaged)).load()
        except RuntimeError:
            file.write_bytes(damaged)
            return
        except (OSError, SyntaxError):
            continue
    raise AssertionError("no damage makes this reader fail so any more")


# What is put into a folder that is otherwise right → the mistake, and the file that it is said of.
BAD: dict[str, tuple[Callable[[Path], object], Mistake]] = {
    "bad.png": (lambda file: file.write_bytes(picture(file).read_bytes()[:300]), mistakes.BROKEN),
    "none.jpg": (lambda file: file.write_text("hello"), mistakes.BROKEN),
    "empty.webp": (lambda file: file.write_bytes(b""), mistakes.EMPTY_FILE),
    "large.png": (lambda file: file.write_bytes(huge_png(9500)), mistakes.TOO_LARGE),
    "enormous.png": (lambda file: file.write_bytes(huge_png(60000)), mistakes.TOO_LARGE),
    "floats.tif": (lambda file: Image.fromarray(np.zeros((64, 64), np.float32)).save(file), mistakes.ODD_PIXELS),
    "tiny.png": (lambda file: picture(file, 5, 100), mistakes.TOO_SMALL),
    "gone.png": (lambda file: file.symlink_to(file.with_name("nothing")), mistakes.NOT_READABLE),
    "bad.avif": (damaged_avif, mistakes.BROKEN),
    "phone.jpg": (lambda file: file.write_bytes(b"\0\0\0\x18ftypheic"), mistakes.UNKNOWN_KIND),
    "new.png": (lambda file: file.write_bytes(b"\xff\x0a\0\0"), mistakes.UNKNOWN_KIND),
}
ODD: dict[str, tuple[Callable[[Path], object], Mistake]] = {
    "print.jpg": (lambda file: picture(file, mode="CMYK"), mistakes.CMYK),
    "lab.tif": (lambda file: Image.new("LAB", (64, 64), (99, 128, 200)).save(file), mistakes.LAB),
    "palette.png": (lambda file: Image.radial_gradient("L").convert("P").save(file), mistakes.PALETTE),
    "grey.jpg": (lambda file: picture(file, mode="L"), mistakes.GREY),
    "fax.png": (lambda file: Image.new("1", (64, 64), 1).save(file), mistakes.BLACK_AND_WHITE),
    "deep.png": (lambda file: Image.fromarray(np.full((64, 64), 40000, np.uint16)).save(file), mistakes.SIXTEEN_BITS),
    "moving.gif": (animation, mistakes.ANIMATED),
    "moving.png": (animation, mistakes.ANIMATED),
    "moving.webp": (animation, mistakes.ANIMATED),
    "really.jpg": (lambda file: picture(file, seed=77, format="PNG"), mistakes.MISLABELLED),
    "small.png": (lambda file: picture(file, 24, 24), mistakes.FEW_PIXELS),
    "long.png": (lambda file: picture(file, 900, 64), mistakes.CUT_A_LOT),
    "phone.heic": (lambda file: file.write_bytes(b"ftypheic"), mistakes.OTHER_KIND),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_pictures_stop_the_training_unless_they_are_left_out(tmp_path: Path, name: str):
    folder(tmp_path / "mugs", 2)
    make, mistake = BAD[name]
    make(tmp_path / "mugs" / name)
    (tmp_path / "mugs" / name).with_suffix(".txt").write_text("a mug")
    if mistake is mistakes.NOT_READABLE:  # a link that leads nowhere is no file at all
        assert only(find_examples(settings(tmp_path / "mugs")), mistakes.LONELY_CAPTION) == {"mugs/gone.txt"}
        return
    found = find_examples(settings(tmp_path / "mugs"))
    assert only(found, mistake) == {f"mugs/{name}"}
    assert len(found.examples) == 2
    with pytest.raises(BadRequest, match=rf"1 × {mistake.what[:20]}.*mugs/{name}"):
        found.refuse_if_bad()
    without = find_examples(settings(tmp_path / "mugs", leave_out_bad=True))
    assert not without.fatal
    assert only(without, mistake) == {f"mugs/{name}"}


@pytest.mark.parametrize("name", ODD)
def test_odd_pictures_are_told_and_used(tmp_path: Path, name: str):
    folder(tmp_path / "mugs", 2)
    make, mistake = ODD[name]
    make(tmp_path / "mugs" / name)
    (tmp_path / "mugs" / name).with_suffix(".txt").write_text("a mug")
    found = find_examples(settings(tmp_path / "mugs"))
    assert only(found, mistake) == {f"mugs/{name}"}
    assert not found.fatal
    assert len(found.examples) == (2 if mistake is mistakes.OTHER_KIND else 3)


def test_all_mistakes_of_all_folders_come_together_and_nothing_is_changed(tmp_path: Path):
    for number, (name, (make, _)) in enumerate({**BAD, **ODD}.items()):
        at = tmp_path / "data" / ("one" if number % 2 else "two")
        at.mkdir(parents=True, exist_ok=True)
        make(at / name)
    folder(tmp_path / "data" / "one", 2)
    folder(tmp_path / "data" / "two", 2)
    for number in range(12):
        (tmp_path / "data" / "two" / f"empty{number:02}.png").write_bytes(b"")
    before = contents(tmp_path / "data")
    asked = settings(tmp_path / "data" / "one", tmp_path / "data" / "two", tmp_path / "missing")
    found = find_examples(asked, tmp_path / "cache")
    assert contents(tmp_path / "data") == before
    expected = {mistake.what for _, mistake in [*BAD.values(), *ODD.values()]} - {mistakes.NOT_READABLE.what}
    assert expected <= set(whats(found))
    with pytest.raises(BadRequest) as raised:
        found.refuse_if_bad()
    text = str(raised.value)
    assert "13 × the file is empty: two/empty.webp, two/empty00.png" in text
    assert "and 3 more" in text
    assert "missing" in text
    assert mistakes.CMYK.what not in text
    assert any(mistakes.CMYK.what in line for line in found.lines())
    assert found.lines()[0].startswith("13 ×")


def test_missing_empty_and_nested_folders(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    folder(tmp_path / "outer" / "inner", 1)
    found = find_examples(settings(tmp_path / "missing", tmp_path / "empty", tmp_path / "outer"))
    assert whats(found) == {
        mistakes.NO_FOLDER.what: {"missing"},
        mistakes.NO_PICTURES.what: {"empty"},
        mistakes.ONLY_SUBFOLDERS.what: {"outer"},
    }
    nested = find_examples(settings({"folder": str(tmp_path / "outer"), "subfolders": True}))
    assert [one.name for one in nested.examples] == ["outer/inner/0.png"]


def test_folders_in_kohyas_form(tmp_path: Path):
    folder(tmp_path / "train" / "10_sks dog", 2, caption=None)
    folder(tmp_path / "train" / "3_cat", 1, seed=1)
    folder(tmp_path / "train" / "other", 1, seed=2)
    folder(tmp_path / "reg" / "1_dog", 2, caption=None, seed=3)
    found = find_examples(settings(tmp_path / "train", {"folder": str(tmp_path / "reg"), "kind": "regularisation"}))
    assert found.problems == ()
    told = [(one.name, one.concept.repeats, one.caption, one.prior) for one in found.examples]
    assert told == [
        ("10_sks dog/0.png", 10, "sks dog", False),
        ("10_sks dog/1.png", 10, "sks dog", False),
        ("3_cat/0.png", 3, "a mug, 0", False),
        ("1_dog/0.png", 1, "dog", True),
        ("1_dog/1.png", 1, "dog", True),
    ]


def test_a_folder_in_kohyas_form_may_be_named_itself(tmp_path: Path):
    folder(tmp_path / "10_dog", 1)
    assert find_examples(settings(tmp_path / "10_dog")).examples[0].concept.repeats == 10
    asked = settings({"folder": str(tmp_path / "10_dog"), "repeats": 2})
    assert find_examples(asked).examples[0].concept.repeats == 2


def test_folders_of_one_name_are_told_apart(tmp_path: Path):
    folder(tmp_path / "a" / "mugs", 1)
    folder(tmp_path / "b" / "mugs", 1, seed=1)
    found = find_examples(settings(tmp_path / "a" / "mugs", tmp_path / "b" / "mugs"))
    assert [one.name for one in found.examples] == ["mugs/0.png", "b/mugs/0.png"]


def test_two_files_of_one_name(tmp_path: Path):
    folder(tmp_path / "mugs", 2)
    picture(tmp_path / "mugs" / "0.jpg", seed=7)
    assert only(find_examples(settings(tmp_path / "mugs")), mistakes.SAME_NAME) == {"mugs/0.png", "mugs/0.jpg"}


def test_the_same_picture_twice(tmp_path: Path):
    folder(tmp_path / "mugs", 2)
    shutil.copy(tmp_path / "mugs" / "0.png", tmp_path / "mugs" / "copy.png")
    (tmp_path / "mugs" / "copy.txt").write_text("a mug")
    found = find_examples(settings(tmp_path / "mugs"))
    assert only(found, mistakes.SAME_PICTURE) == {"mugs/copy.png"}
    assert found.problems[0].detail == "mugs/0.png"


def test_hidden_files_are_no_pictures(tmp_path: Path):
    folder(tmp_path / "mugs", 1)
    (tmp_path / "mugs" / "._0.png").write_bytes(b"\0\5\26\7")
    assert find_examples(settings(tmp_path / "mugs")).problems == ()


def test_no_captions_at_all_is_a_mistake_unless_there_are_other_words(tmp_path: Path):
    at = folder(tmp_path / "mugs", 2, caption=None)
    found = find_examples(settings(at))
    assert only(found, mistakes.NO_CAPTIONS) == {"mugs"}
    assert found.fatal
    assert find_examples(settings({"folder": str(at), "trigger": "sks"})).problems == ()
    fallen_back = find_examples(settings({"folder": str(at), "fallback": "a mug"}))
    assert fallen_back.problems == ()
    assert {one.caption for one in fallen_back.examples} == {"a mug"}


def test_some_captions_missing_is_told(tmp_path: Path):
    at = folder(tmp_path / "mugs", 2)
    (at / "1.txt").unlink()
    found = find_examples(settings(at))
    assert only(found, mistakes.NO_CAPTION) == {"mugs/1.png"}
    assert not found.fatal


def test_nothing_left(tmp_path: Path):
    (tmp_path / "mugs").mkdir()
    (tmp_path / "mugs" / "0.png").write_bytes(b"")
    (tmp_path / "mugs" / "0.txt").write_text("a mug")
    found = find_examples(settings(tmp_path / "mugs", leave_out_bad=True))
    assert found.fatal
    assert whats(found)[mistakes.NOTHING_LEFT.what] == {"mugs"}


def test_the_cache_must_lie_elsewhere(tmp_path: Path):
    folder(tmp_path / "mugs", 1)
    found = find_examples(settings(tmp_path / "mugs"), tmp_path / "mugs" / "cache")
    assert only(found, mistakes.CACHE_INSIDE) == {"mugs"}
    assert not (tmp_path / "mugs" / "cache").exists()


def test_pictures_are_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder(tmp_path / "mugs", 3)
    asked = settings(tmp_path / "mugs")
    first = find_examples(asked, tmp_path / "cache")
    told: list[tuple[int, int]] = []
    assert find_examples(asked, tmp_path / "cache", lambda done, total: told.append((done, total))) == first
    assert told == []
    picture(tmp_path / "mugs" / "1.png", 72, 64, seed=8)
    changed = find_examples(asked, tmp_path / "cache", lambda done, total: told.append((done, total)))
    assert told == [(1, 1)]
    assert changed.examples[1].width == 72
    assert changed.examples[0] == first.examples[0]


@pytest.mark.parametrize("damage", ["", "{", '{"version": 1, "looks": {"a": 3}}', '{"version": 0}'])
def test_a_damaged_memory_is_no_loss(tmp_path: Path, damage: str):
    folder(tmp_path / "mugs", 2)
    asked = settings(tmp_path / "mugs")
    first = find_examples(asked, tmp_path / "cache")
    (tmp_path / "cache" / MEMORY).write_text(damage)
    assert find_examples(asked, tmp_path / "cache") == first


def test_validation_keeps_the_same_pictures_apart(tmp_path: Path):
    folder(tmp_path / "mugs", 10)
    folder(tmp_path / "reg", 4, seed=1)
    reg = {"folder": str(tmp_path / "reg"), "kind": "regularisation"}
    found = find_examples(settings(tmp_path / "mugs", reg, validation_share=0.2))
    assert len(found.validation) == 2
    assert len(found.examples) == 12
    assert not {one.name for one in found.examples} & {one.name for one in found.validation}
    assert find_examples(settings(tmp_path / "mugs", reg, validation_share=0.2)) == found
    lowest = sorted(one.sha256 for one in (*found.examples, *found.validation) if not one.prior)[:2]
    assert sorted(one.sha256 for one in found.validation) == lowest


def test_copies_of_a_picture_stay_together(tmp_path: Path):
    folder(tmp_path / "mugs", 6)
    for number in range(6):
        shutil.copy(tmp_path / "mugs" / f"{number}.png", tmp_path / "mugs" / f"copy{number}.png")
        (tmp_path / "mugs" / f"copy{number}.txt").write_text("a mug")
    found = find_examples(settings(tmp_path / "mugs", validation_share=0.34))
    assert len(found.validation) == 4
    assert not {one.sha256 for one in found.examples} & {one.sha256 for one in found.validation}


def test_a_concept_for_validation(tmp_path: Path):
    folder(tmp_path / "mugs", 2)
    folder(tmp_path / "apart", 2, seed=1)
    shutil.copy(tmp_path / "mugs" / "0.png", tmp_path / "apart" / "0.png")
    found = find_examples(settings(tmp_path / "mugs", {"folder": str(tmp_path / "apart"), "kind": "validation"}))
    assert [one.name for one in found.validation] == ["apart/0.png", "apart/1.png"]
    assert only(found, mistakes.IN_BOTH) == {"mugs/0.png"}


def test_masks_by_folder_beside_and_by_alpha(tmp_path: Path):
    folder(tmp_path / "mugs", 3)
    picture(tmp_path / "masks" / "0.jpg", mode="L")
    picture(tmp_path / "mugs" / "1-masklabel.png", mode="L")
    found = find_examples(settings({"folder": str(tmp_path / "mugs"), "masks": str(tmp_path / "masks")}))
    assert [one.mask and one.mask.name for one in found.examples] == ["0.jpg", "1-masklabel.png", None]
    assert only(found, mistakes.NO_MASK) == {"mugs/2.png"}
    picture(tmp_path / "mugs" / "2.png", mode="RGBA")
    found = find_examples(settings(tmp_path / "mugs", alpha_mask=True))
    assert [one.masked for one in found.examples] == [False, True, True]
    assert only(found, mistakes.NO_ALPHA) == {"mugs/0.png"}
    off = {"folder": str(tmp_path / "mugs"), "alpha_mask": False}
    assert [one.masked for one in find_examples(settings(off, alpha_mask=True)).examples] == [False, True, False]


@pytest.mark.parametrize(
    ("make", "mistake"),
    [
        (lambda file: Image.new("L", (64, 64), 0).save(file), mistakes.BLACK_MASK),
        (lambda file: file.write_text("hello"), mistakes.BAD_MASK),
        (lambda file: picture(file, 64, 32, mode="L"), mistakes.ODD_MASK),
    ],
)
def test_bad_masks(tmp_path: Path, make: Callable[[Path], object], mistake: Mistake):
    folder(tmp_path / "mugs", 2)
    make(tmp_path / "mugs" / "0-masklabel.png")
    found = find_examples(settings(tmp_path / "mugs"))
    assert only(found, mistake) == {"mugs/0.png"}
    assert found.fatal


def test_a_picture_that_is_transparent_everywhere(tmp_path: Path):
    folder(tmp_path / "mugs", 2)
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save(tmp_path / "mugs" / "0.png")
    found = find_examples(settings(tmp_path / "mugs", alpha_mask=True))
    assert whats(found)[mistakes.TRANSPARENT.what] == {"mugs/0.png"}
    assert [one.name for one in found.examples] == ["mugs/1.png"]


def test_a_folder_of_masks_that_is_not_there(tmp_path: Path):
    folder(tmp_path / "mugs", 1)
    found = find_examples(settings({"folder": str(tmp_path / "mugs"), "masks": str(tmp_path / "nowhere")}))
    assert whats(found)[mistakes.NO_MASK_FOLDER.what] == {str(tmp_path / "nowhere")}


def test_a_resolution_of_its_own(tmp_path: Path):
    folder(tmp_path / "mugs", 1, width=200, height=200)
    found = find_examples(settings({"folder": str(tmp_path / "mugs"), "resolution": 128}))
    assert found.examples[0].concept.resolution == 128
