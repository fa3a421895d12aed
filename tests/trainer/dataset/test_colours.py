"""Do pictures with profiles for printing or for grey values come out in the colours that these mean?"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.trainer.dataset.test_prepare import prepare


def profile(space: bytes, connected: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile of version 2 (ICC.1:2001-04, 6): a header of 128 bytes, a table of tags, the tags."""
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)  # D50
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", 2) + b"x\0" + bytes(78), b"wtpt": white} | tags
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">2I", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12x4s28x3i48x", start + len(body), b"test", 0x02400000, b"prtr", space, connected, b"acsp", *(63190, 65536, 54061)
    )
    return header + table + body


def grey_profile(gamma: float) -> bytes:
    return profile(b"GRAY", b"XYZ ", {b"kTRC": b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))})


def print_profile() -> bytes:
    """Of a press whose black is all that darkens: the other inks colour nothing."""
    lab = b"".join(bytes((0 if corner & 1 else 255, 128, 128)) for corner in range(16))  # the last ink changes fastest
    straight = bytes(range(256))
    one = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + one + 4 * straight + lab + 3 * straight
    return profile(b"CMYK", b"Lab ", {b"A2B0": table})


def made(picture: Image.Image, path: Path, **more: object) -> Image.Image:
    (path / "data").mkdir(exist_ok=True)
    picture.save(path / "data" / "a.tif", icc_profile=picture.info.get("icc_profile"))
    assert prepare(path / "data", **more)["problems"] == 0
    with Image.open(path / "out" / "a.png") as out:
        out.load()
        return out


@pytest.mark.parametrize("resize", [0, 8])
def test_pictures_for_printing_have_the_colours_of_their_profile(tmp_path: Path, resize: int) -> None:
    picture = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    picture.info["icc_profile"] = print_profile()
    out = made(picture, tmp_path, resize=resize)
    assert (out.mode, "icc_profile" in out.info) == ("RGB", False)
    assert min(np.asarray(out).ravel()) >= 250  # what has no black ink is white; without the profile it would be cyan


@pytest.mark.parametrize("resize", [0, 8])
def test_grey_values_become_those_that_are_seen(tmp_path: Path, resize: int) -> None:
    picture = Image.new("L", (16, 16), 128)
    picture.info["icc_profile"] = grey_profile(1.0)
    out = made(picture, tmp_path, resize=resize)
    assert "icc_profile" not in out.info
    assert np.abs(np.asarray(out).astype(int) - 188).max() <= 1  # sRGB's value for half of the light


@pytest.mark.parametrize("data", [print_profile(), grey_profile(2.2), b"RGB", bytes(16) + b"GRAY"])
def test_a_profile_that_is_not_of_the_pictures_colours_is_left_out(tmp_path: Path, data: bytes) -> None:
    picture = Image.new("RGB", (16, 16), (200, 30, 40))
    picture.info["icc_profile"] = data
    out = made(picture, tmp_path)
    assert (out.getpixel((3, 3)), "icc_profile" in out.info) == ((200, 30, 40), False)


def test_a_profile_for_rgb_goes_along(tmp_path: Path) -> None:
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = Image.new("RGB", (16, 16), (200, 30, 40))
    picture.info["icc_profile"] = wide
    out = made(picture, tmp_path, resize=8)
    assert (out.getpixel((3, 3)), out.info["icc_profile"]) == ((200, 30, 40), wide)


def test_lab_colours_become_rgb(tmp_path: Path) -> None:
    picture = Image.new("LAB", (16, 16), (255, 128, 128))
    picture.info["icc_profile"] = profile(b"Lab ", b"XYZ ", {})
    out = made(picture, tmp_path, resize=8)
    assert (out.mode, out.info["icc_profile"][16:20]) == ("RGB", b"RGB ")
    assert min(np.asarray(out).ravel()) >= 250
