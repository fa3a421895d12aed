"""A larger picture, by each method: its size, its calls, and where each tile looks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_extension.pictures.png import decode_picture
from lib_extension.spec.errors import BadRequest, TooLarge
from lib_extension.spec.sdapi import ExtraSingle, Img2Img
from tests.stages.painting import asked, photo, pixels, run, stage


@pytest.mark.parametrize("size", [(64, 48), (61, 45)])
@pytest.mark.parametrize("settings", [{"scale": 2}, {"scale": 1.5}, {"width": 150}, {"width": 160, "height": 100}, {"scale": 3.33}])
@pytest.mark.parametrize("method", ["upscaler", "hires", "tiled"])
def test_sizes(size: tuple[int, int], settings: dict[str, Any], method: str):
    outcome = run(stage("upscale", method=method, tile=64, overlap=16, **settings), photo(*size))
    width = settings.get("width") or round(size[0] * settings["scale"])
    height = settings.get("height") or round(size[1] * settings.get("scale", width / size[0]))
    assert outcome.pictures[0].image.size == (width, height)


@pytest.mark.parametrize("size", [(64, 48), (61, 45)])
def test_the_upscaler_is_never_made_to_distort(size: tuple[int, int]):
    """The WebUI floors the result to multiples of 8; the picture is widened before, so that nothing has to be moved."""
    outcome, calls = asked(stage("upscale", upscaler="R-ESRGAN 4x+", scale=2), photo(*size))
    (call,) = calls
    assert isinstance(call, ExtraSingle)
    assert (call.upscaler_1, call.upscaling_resize, call.resize_mode) == ("R-ESRGAN 4x+", 2, 0)
    sent = decode_picture(call.image, what="")
    assert all(side % 8 == 0 for side in sent.size)
    wanted = pixels(sent.resize((2 * sent.width, 2 * sent.height), Image.Resampling.BICUBIC))
    assert np.array_equal(pixels(outcome.pictures[0]), wanted[: 2 * size[1], : 2 * size[0]])
    assert (outcome.pictures[0].infotext, outcome.pictures[0].seed) == ("a photograph", 3)


def test_hires_redraws_the_larger_picture_once():
    outcome, calls = asked(stage("upscale", method="hires", prompt="a watch", denoising_strength=0.35, batch_size=2), photo(61, 45))
    assert [type(call) for call in calls] == [ExtraSingle, Img2Img]
    assert (calls[1].denoising_strength, calls[1].width, calls[1].height) == (0.35, 128, 96)
    assert [picture.image.size for picture in outcome.pictures] == [(122, 90)] * 2


def test_hires_by_stretched_latents_is_one_call():
    _, (call,) = asked(stage("upscale", method="hires", upscaler="Latent", denoising_strength=0.6), photo(64, 48))
    assert (call.resize_mode, call.width, call.height, call.denoising_strength) == (3, 128, 96, 0.6)
    assert np.array_equal(pixels(decode_picture(call.init_images[0], what="")), pixels(photo(64, 48)))


@pytest.mark.parametrize("settings", [{"scale": 2}, {"scale": 1.5}, {"width": 150}, {"width": 160, "height": 100}, {"scale": 3.33}])
def test_stretched_latents_of_odd_pictures(settings: dict[str, Any]):
    """They are widened before, so that nothing is distorted, and what that became is cut off."""
    wanted = stage("upscale", method="hires", upscaler="Latent", batch_size=2, controlnet=[{"model": "tile"}], **settings)
    outcome, (call,) = asked(wanted, photo(61, 45))
    width = settings.get("width") or round(61 * settings["scale"])
    height = settings.get("height") or round(45 * settings.get("scale", width / 61))
    assert [picture.image.size for picture in outcome.pictures] == [(width, height)] * 2
    assert outcome.pictures[0].image.info["parameters"] == outcome.pictures[0].infotext
    sent = decode_picture(call.init_images[0], what="")
    assert sent.size == (64, 48)
    assert call.width % 8 == call.height % 8 == 0
    assert abs(call.width / 64 - call.height / 48) < 8 / 48
    assert call.alwayson_scripts["controlnet"]["args"][0]["image"] == call.init_images[0]


def test_without_growth_no_upscaler_is_asked():
    _, calls = asked(stage("upscale", method="hires", scale=1), photo(64, 64))
    assert [type(call) for call in calls] == [Img2Img]


@pytest.mark.parametrize("order", ["linear", "chess"])
def test_tiles_are_redrawn_one_by_one_from_what_is_there(order: str):
    settings = stage("upscale", method="tiled", tile=64, overlap=16, order=order, denoising_strength=0.2)
    outcome, calls = asked(settings, photo(64, 64))
    tiles = [call for call in calls if isinstance(call, Img2Img)]
    assert [(call.width, call.height, call.batch_size) for call in tiles] == [(64, 64, 1)] * 9
    assert [call.seed for call in tiles] == ([7, 8, 9, 10, 11, 12, 13, 14, 15] if order == "linear" else [7, 9, 11, 13, 15, 8, 10, 12, 14])
    second = pixels(decode_picture((tiles[1].init_images or [""])[0], what=""))
    upscaled = pixels(photo(64, 64).resize((128, 128), Image.Resampling.BICUBIC))
    if order == "linear":  # its left edge shows what the first tile has become
        assert not np.array_equal(second[:, :16], upscaled[:64, 32:48])
        assert np.array_equal(second[:, 48:], upscaled[:64, 80:96])
    assert outcome.pictures[0].infotext.endswith("Seed: 7")
    assert outcome.pictures[0].image.info["parameters"] == outcome.pictures[0].infotext
    assert (pixels(outcome.pictures[0]) != upscaled).any(axis=-1).mean() > 0.99  # every tile was put in


def test_tiles_of_odd_pictures_are_widened():
    _, calls = asked(stage("upscale", method="tiled", tile=64, overlap=16, scale=1), photo(61, 100))
    assert [(call.width, call.height) for call in calls] == [(64, 64)] * 2
    assert pixels(decode_picture(calls[0].init_images[0], what="")).shape == (64, 64, 3)


def test_each_tile_is_guided_by_its_own_part():
    edges = photo(128, 128, place=1)
    controls = [
        {"model": "tile"},
        {"image": "edges", "model": "canny"},
        {"image": "edges", "module": "reference_only"},
    ]
    settings = stage("upscale", method="tiled", tile=64, overlap=16, controlnet=controls)
    _, calls = asked(settings, photo(64, 64), edges=edges)
    boxes = [(left, top) for top in (0, 32, 64) for left in (0, 32, 64)]
    for (left, top), call in zip(boxes, calls[1:], strict=True):
        own, guided, whole = (unit["image"] for unit in call.alwayson_scripts["controlnet"]["args"])
        assert own == call.init_images[0]
        assert np.array_equal(pixels(decode_picture(guided, what="")), pixels(edges)[top : top + 64, left : left + 64])
        assert np.array_equal(pixels(decode_picture(whole, what="")), pixels(edges))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tile": 100}, "must be a multiple of 8, such as 96"),
        ({"tile": 64, "overlap": 40}, "at most half of tile, 32"),
        ({"method": "tiled", "n_iter": 2}, 'method "tiled" gives one picture'),
        ({"upscaler": "None"}, "which enlarges nothing"),
        ({"upscaler": "Latent"}, '"Latent" with the method "hires"'),
        ({"method": "tiled", "upscaler": "Latent"}, '"Latent" with the method "hires"'),
        ({"method": "hires", "upscaler": "Latent (nearest)"}, "for a txt2img stage's own hires"),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], message: str):
    with pytest.raises(BadRequest, match=message):
        stage("upscale", **settings)


def test_smaller_is_not_larger():
    with pytest.raises(BadRequest, match=r"64×64 32×32, which is smaller. Use img2img"):
        run(stage("upscale", width=32), photo(64, 64))


def test_what_could_not_be_stored_is_refused_before_it_is_drawn():
    with pytest.raises(TooLarge, match="64 megapixels is the most"):
        run(stage("upscale", scale=16), photo(640, 640))
