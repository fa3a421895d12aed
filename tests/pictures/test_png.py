"""Pictures come in whole or are refused with the field's name; they go out with their infotext."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib_extension.pictures.png import LONGEST_BASE64, decode_picture, encode_base64, encode_png, open_picture, read_text_chunks
from lib_extension.spec.errors import BadRequest, TooLarge

COLOURS = Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8))


def saved(image: Image.Image, **how: Any) -> str:
    file = io.BytesIO()
    image.save(file, **{"format": "PNG", **how})
    return base64.b64encode(file.getvalue()).decode()


def test_there_and_back_with_infotext():
    infotext = "a cät ✓\nSteps: 4"
    text = encode_base64(COLOURS, infotext, {"atelier": '{"a": 1}'})
    picture = decode_picture(text, what="image")
    assert np.array_equal(np.asarray(picture), np.asarray(COLOURS))
    assert read_text_chunks(picture) == {"parameters": infotext, "atelier": '{"a": 1}'}


@pytest.mark.parametrize("prefix", ["data:image/png;base64,", "data:application/octet-stream;base64,", "", " \n"])
def test_data_urls_and_line_breaks(prefix: str):
    text = encode_base64(COLOURS)
    broken = "\n".join(text[i : i + 76] for i in range(0, len(text), 76))
    assert decode_picture(prefix + broken, what="image").size == (9, 6)


def test_no_text_no_chunks():
    assert read_text_chunks(decode_picture(encode_base64(COLOURS), what="image")) == {}


def test_a_lone_surrogate_does_not_stop_it():
    assert read_text_chunks(open_picture(encode_png(COLOURS, "a\ud800b"), what="image")) == {"parameters": "a?b"}


@pytest.mark.parametrize(
    ("image", "mode"),
    [
        (COLOURS, "RGB"),
        (COLOURS.convert("L"), "L"),
        (COLOURS.convert("1"), "L"),
        (COLOURS.convert("P"), "RGB"),
        (COLOURS.convert("RGBA"), "RGBA"),
        (COLOURS.convert("LA"), "RGBA"),
    ],
)
def test_modes(image: Image.Image, mode: str):
    read = decode_picture(saved(image), what="image")
    assert read.mode == mode
    assert np.array_equal(np.asarray(read), np.asarray(image.convert(mode)))


def test_a_transparent_palette_becomes_alpha():
    image = Image.new("P", (2, 1), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((1, 0), 1)
    read = decode_picture(saved(image, transparency=1), what="image")
    assert [read.getpixel((x, 0)) for x in (0, 1)] == [(255, 0, 0, 255), (0, 255, 0, 0)]
    assert open_picture(encode_png(read.convert("RGB")), what="image").mode == "RGB"


def test_sixteen_bits_keep_their_brightness():
    image = Image.fromarray(np.array([[0, 257, 32768, 65535]], np.uint16))
    assert np.asarray(decode_picture(saved(image), what="image")).tolist() == [[0, 1, 128, 255]]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_exif_turns_and_tells(kind: str):
    image = Image.new("RGB", (40, 20), "red")
    image.paste("blue", (20, 0, 40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn 90° clockwise
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + "grün\nSteps: 1".encode("utf-16-be")
    read = decode_picture(saved(image, format=kind, exif=exif.tobytes()), what="image")
    assert read.size == (20, 40)
    top, bottom = (read.getpixel((10, y)) for y in (5, 35))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 200 > 50 > top[2]
    assert bottom[2] > 200 > 50 > bottom[0]
    assert read_text_chunks(read) == {"parameters": "grün\nSteps: 1"}


def test_the_comment_of_a_gif():
    assert read_text_chunks(decode_picture(saved(COLOURS, format="GIF", comment=b"Steps: 3"), what="image"))["parameters"] == "Steps: 3"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, data: bytes, *more: bytes) -> str:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return base64.b64encode(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(more) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    ).decode()


@pytest.mark.parametrize("side", [8001, 10_000, 20_000, 2**31 - 1])
def test_bombs(side: int):
    with pytest.raises(TooLarge, match=r"^init_images\[0\] has "):
        decode_picture(png(side, side, zlib.compress(bytes(1000))), what="init_images[0]")


def test_a_text_bomb():
    bomb = chunk(b"zTXt", b"parameters\0\0" + zlib.compress(bytes(10_000_000)))
    with pytest.raises(BadRequest, match=r"^image is not a whole picture"):
        decode_picture(png(1, 1, zlib.compress(b"\0\0"), bomb), what="image")


def test_too_much_base64():
    with pytest.raises(TooLarge, match=r"^mask has 128 MB of base64"):
        decode_picture("A" * (LONGEST_BASE64 + 1), what="mask")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("data:image/png;base64,", "is empty"),
        ("data:image/png,abc", "is a data URL without base64"),
        ("data:image/png;base64", "is a data URL without base64"),
        ("https://example.org/a.png", "is a web address"),
        ("nonsense!", "is not base64"),
        ("ä" * 8, "is not base64"),
        ("AAA", "is not base64"),
        ("AAAA", "is not a whole picture"),
        (base64.b64encode(b"<svg></svg>").decode(), "is not a whole picture"),
        (base64.b64encode(b"%PDF-1.4 %%EOF").decode(), "is not a whole picture"),
    ],
)
def test_what_is_no_picture(text: str, reason: str):
    with pytest.raises(BadRequest, match=f"^image {reason}"):
        decode_picture(text, what="image")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_cut_off_files(kind: str):
    large = COLOURS.resize((64, 64))
    data = base64.b64decode(saved(large, format=kind))
    assert open_picture(data, what="image").size == (64, 64)
    with pytest.raises(BadRequest, match=r"^image is not a whole picture"):
        open_picture(data[: len(data) // 2], what="image")


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's remarks on what it finds wrong
@settings(max_examples=80)
@given(
    st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
)
def test_damaged_files_are_read_or_refused(kind: str, damage: list[tuple[int, int]]):
    data = bytearray(base64.b64decode(saved(COLOURS, format=kind)))
    for place, value in damage:
        data[place % len(data)] = value
    try:
        picture = open_picture(bytes(data), what="image")
    except (BadRequest, TooLarge):
        return
    assert picture.mode in ("L", "RGB", "RGBA")
    read_text_chunks(picture)
