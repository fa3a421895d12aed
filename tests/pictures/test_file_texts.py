from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lib_extension.pictures.file_texts import kind_of, png_texts, with_infotext, with_png_texts, without_texts
from lib_extension.pictures.png import encode_png, open_picture, read_text_chunks
from lib_extension.spec.errors import AtelierError, BadFile, TooLarge

INFOTEXT = "a dog, é 日本\nNegative prompt: cat\nSteps: 3, Sampler: Euler, Seed: 1"
NOISE = Image.effect_noise((33, 17), 80)


def a_file(kind: str, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    NOISE.convert(mode).save(file, kind, **({"lossless": True} if kind == "WEBP" else {}))
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGB"), ("PNG", "L"), ("PNG", "RGBA"), ("JPEG", "RGB"), ("JPEG", "L"), ("WEBP", "RGB"), ("WEBP", "RGBA")]
)
def test_infotexts_are_put_in_changed_and_taken_out_while_pixels_stay(kind: str, mode: str):
    data = a_file(kind, mode)
    pixels = open_picture(data, what="it").tobytes()
    told = with_infotext(data, INFOTEXT)
    changed = with_infotext(told, "Steps: 4")
    silent = without_texts(changed)
    for file, text in ((told, INFOTEXT), (changed, "Steps: 4"), (silent, None)):
        picture = open_picture(file, what="it")
        assert read_text_chunks(picture).get("parameters") == text
        assert picture.tobytes() == pixels
        assert kind_of(file) == kind


def test_a_chunk_is_as_pillow_reads_it_and_replaces_one_of_its_name():
    data = with_png_texts(encode_png(NOISE, "old", {"atelier": "first", "other": "kept"}), {"atelier": '{"a":1}', "parameters": INFOTEXT})
    assert png_texts(data) == {"atelier": '{"a":1}', "parameters": INFOTEXT, "other": "kept"}
    assert open_picture(data, what="it").info == {"atelier": '{"a":1}', "parameters": INFOTEXT, "other": "kept"}


def test_texts_longer_than_pillow_unpacks_leave_the_picture_readable():
    long = "0123456789" * 250_000
    data = with_png_texts(a_file("PNG"), {"atelier": long})
    assert png_texts(data)["atelier"] == long
    assert len(data) < 20_000
    assert open_picture(data, what="it").size == NOISE.size


def test_metadata_of_the_camera_stays_when_an_infotext_is_added():
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    file = io.BytesIO()
    NOISE.save(file, "JPEG", exif=exif)
    assert Image.open(io.BytesIO(with_infotext(file.getvalue(), INFOTEXT))).getexif()[0x010F] == "Maker"


def test_a_bomb_of_text_is_refused():
    content = b"atelier\0\0" + zlib.compress(b"0" * (70 * 2**20), 9)
    chunk = struct.pack(">I", len(content)) + b"zTXt" + content + struct.pack(">I", zlib.crc32(b"zTXt" + content))
    data = a_file("PNG")
    with pytest.raises(TooLarge, match="64 MB"):
        png_texts(data[:33] + chunk + data[33:])


@given(st.integers(0, 400), st.binary(min_size=1, max_size=8), st.sampled_from(["PNG", "JPEG", "WEBP"]))
def test_damaged_files_are_refused_or_read_but_break_nothing(place: int, damage: bytes, kind: str):
    data = with_infotext(a_file(kind), INFOTEXT)
    place %= len(data)
    broken = data[:place] + damage + data[place + len(damage) :]
    for work in (png_texts, without_texts):
        try:
            work(broken)
        except AtelierError:
            pass


def test_a_cut_off_file_says_so():
    with pytest.raises(BadFile, match="cut off"):
        png_texts(a_file("PNG")[:-20])
