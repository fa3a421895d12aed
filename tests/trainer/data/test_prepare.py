from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lib_extension.spec.errors import BadFile
from lib_extension.spec.settings import from_json
from lib_extension.spec.training.data import AugmentationSettings
from tests.trainer.data.drawn import picture, settings
from trainer.data.buckets import Fit, fit_of
from trainer.data.chance import Turn
from trainer.data.example import Example
from trainer.data.examples import find_examples
from trainer.data.prepare import Cut, cut_at, mask_of, mask_values, pixels_of, recoloured


def only(at: Path, **fields: object) -> tuple[Example, Fit]:
    asked = settings({"folder": str(at), "trigger": "x"}, cache_latents=False, **fields)
    found = find_examples(asked)
    found.refuse_if_bad()
    return found.examples[0], fit_of(asked, found.examples[0])


def colours_of(example: Example, fitted: Fit) -> np.ndarray:
    """(H, W, 3), 0..255."""
    return ((pixels_of(example, Cut(fitted, fitted.crop)) + 1) * 127.5).round().numpy().transpose(1, 2, 0)


def split(width: int = 64, height: int = 64) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), (255, 0, 0))
    image.paste((0, 0, 255), (width // 2, 0, width, height))
    return image


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_exif_says(tmp_path: Path, orientation: int):
    """Saved so that a viewer shows red left, blue right, for each of EXIF's eight ways to hold a camera."""
    back = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    seen = split(96, 64)
    exif = Image.Exif()
    exif[0x0112] = orientation
    (seen.transpose(back) if back is not None else seen).save(tmp_path / "0.png", exif=exif)
    example, fitted = only(tmp_path)
    assert (example.width, example.height) == (96, 64)
    assert fitted.bucket == (48, 80)
    found = colours_of(example, fitted)
    assert np.allclose(found[:, :30], (255, 0, 0), atol=1)
    assert np.allclose(found[:, -30:], (0, 0, 255), atol=1)


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("L", 100, (100, 100, 100)),
        ("1", 255, (255, 255, 255)),
        ("LA", (100, 0), (255, 255, 255)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("RGBA", (10, 20, 30, 0), (255, 255, 255)),
        ("P", 0, (0, 0, 0)),
    ],
)
def test_pictures_of_every_mode(tmp_path: Path, mode: str, value: int | tuple[int, ...], expected: tuple[int, int, int]):
    image = Image.new(mode, (64, 64), value)
    if mode == "P":
        image.putpalette([0, 0, 0, 255, 255, 255])
    image.save(tmp_path / "0.png")
    assert np.array_equal(colours_of(*only(tmp_path))[32, 32], expected)


def test_a_palette_with_transparency_becomes_white(tmp_path: Path):
    image = Image.new("P", (64, 64), 0)
    image.putpalette([9, 9, 9])
    image.save(tmp_path / "0.png", transparency=0)
    assert np.array_equal(colours_of(*only(tmp_path))[32, 32], (255, 255, 255))


def test_sixteen_bits_are_scaled_not_cut_off(tmp_path: Path):
    values = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "0.png")
    found = colours_of(*only(tmp_path))
    assert np.array_equal(found[:, :, 0], values.astype(np.int64) * 255 // 65535)


def test_printing_colours(tmp_path: Path):
    Image.new("CMYK", (64, 64), (0, 255, 255, 0)).save(tmp_path / "0.jpg")
    assert np.allclose(colours_of(*only(tmp_path))[32, 32], (255, 0, 0), atol=3)


def test_the_middle_is_cut_out(tmp_path: Path):
    split(128, 64).save(tmp_path / "0.png")
    example, fitted = only(tmp_path, buckets=False)
    assert fitted == Fit((64, 64), (64, 128), (0, 32))
    found = colours_of(example, fitted)
    assert np.array_equal(found[32, 10], (255, 0, 0))
    assert np.array_equal(found[32, 50], (0, 0, 255))
    assert Cut(fitted, fitted.crop).crop_seen == (0, 32)


def test_a_mirrored_picture_tells_what_was_cut_off_on_its_left(tmp_path: Path):
    fitted = Fit((64, 64), (64, 128), (0, 32))
    assert Cut(fitted, (0, 10), flip=True).crop_seen == (0, 54)
    split().save(tmp_path / "0.png")
    example, fitted = only(tmp_path)
    straight, mirrored = (pixels_of(example, Cut(fitted, fitted.crop, flip)) for flip in (False, True))
    assert torch.equal(straight.flip(-1), mirrored)


def test_random_crops_lie_anywhere_and_are_pure(tmp_path: Path):
    picture(tmp_path / "0.png", 128, 64)
    example, fitted = only(tmp_path, buckets=False, augmentation={"random_crop": True, "flip": True})
    cuts = [cut_at(example, fitted, Turn(0, epoch, example.name, 0)) for epoch in range(400)]
    assert {cut.crop for cut in cuts} == {(0, left) for left in range(65)}
    assert 150 < sum(cut.flip for cut in cuts) < 250
    assert cuts[7] == cut_at(example, fitted, Turn(0, 7, example.name, 0))


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_colours_change_within_what_is_allowed(name: str):
    image = Image.new("RGB", (8, 8), (100, 120, 140))
    wanted = from_json(AugmentationSettings, {name: 0.5})
    found = [np.asarray(recoloured(image, wanted, Turn(0, epoch, "a", 0)))[0, 0] for epoch in range(50)]
    if name == "brightness":
        assert all(48 <= colour[0] <= 152 for colour in found)
        assert max(colour[0] for colour in found) - min(colour[0] for colour in found) > 60
    same = recoloured(image, wanted, Turn(0, 3, "a", 0))
    assert np.array_equal(np.asarray(same)[0, 0], found[3])
    assert recoloured(image, AugmentationSettings(), Turn(0, 3, "a", 0)) == image


def test_hue_turns_the_colour_circle():
    image = Image.new("RGB", (8, 8), (200, 40, 40))
    found = [np.asarray(recoloured(image, AugmentationSettings(hue=180), Turn(0, epoch, "a", 0)))[0, 0] for epoch in range(60)]
    assert all(max(colour) - min(colour) > 150 for colour in found)
    assert {int(np.argmax(colour)) for colour in found} == {0, 1, 2}


def test_a_mask_is_cut_as_its_picture_and_averaged_over_latent_pixels(tmp_path: Path):
    picture(tmp_path / "data" / "0.png", 128, 64)
    mask = Image.new("L", (128, 64), 0)
    mask.paste(255, (64, 0, 128, 64))
    mask.paste(255, (60, 0, 64, 64))
    (tmp_path / "masks").mkdir()
    mask.save(tmp_path / "masks" / "0.png")
    asked = settings({"folder": str(tmp_path / "data"), "trigger": "x", "masks": str(tmp_path / "masks")}, buckets=False)
    example = find_examples(asked).examples[0]
    fitted = fit_of(asked, example)
    values = mask_values(mask_of(example, Cut(fitted, fitted.crop)))
    assert values.shape == (1, 8, 8)
    assert values[0, 0].tolist() == [0, 0, 0, 0.5, 1, 1, 1, 1]
    mirrored = mask_values(mask_of(example, Cut(fitted, fitted.crop, flip=True)))
    assert torch.equal(mirrored, values.flip(-1))


def test_alpha_is_the_mask_of_a_picture(tmp_path: Path):
    image = split().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 16, 64))
    image.save(tmp_path / "0.png")
    example, fitted = only(tmp_path, alpha_mask=True)
    assert mask_values(mask_of(example, Cut(fitted, fitted.crop)))[0, 3].tolist() == [0, 0, 1, 1, 1, 1, 1, 1]


def test_a_picture_that_changed_meanwhile_is_refused(tmp_path: Path):
    file = picture(tmp_path / "0.png")
    example, fitted = only(tmp_path)
    assert example.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    picture(file, seed=1)
    with pytest.raises(BadFile, match="was changed"):
        pixels_of(example, Cut(fitted, fitted.crop))
    file.unlink()
    with pytest.raises(BadFile, match="No such file"):
        pixels_of(example, Cut(fitted, fitted.crop))
