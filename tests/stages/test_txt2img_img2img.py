"""Pictures have the size that was asked for, whatever sizes models draw at."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from lib_extension.pictures.png import decode_picture
from lib_extension.spec.errors import TooLarge
from lib_extension.stages import STAGES
from tests.stages.painting import asked, paint, photo, pixels, run, stage


@pytest.mark.parametrize(("size", "sent"), [((64, 96), (64, 96)), ((100, 61), (104, 64)), ((8, 9), (8, 16))])
def test_txt2img_gives_the_size_asked_for(size: tuple[int, int], sent: tuple[int, int]):
    outcome, calls = asked(stage("txt2img", width=size[0], height=size[1], prompt="a watch"))
    assert (calls[0].width, calls[0].height) == sent
    (picture,) = outcome.pictures
    assert picture.image.size == size
    assert picture.infotext == picture.image.info["parameters"] == "a watch\nSteps: 20, Seed: 7"


def test_a_second_pass_is_cut_to_the_size_asked_for():
    outcome = run(stage("txt2img", width=64, height=48, hires={"hr_scale": 1.55}, batch_size=2))
    assert [picture.image.size for picture in outcome.pictures] == [(99, 74)] * 2


def test_a_picture_of_the_right_size_is_the_backends_file():
    outcome, calls = asked(stage("txt2img", width=64, height=64))
    assert outcome.pictures == paint(calls[0]).pictures


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({}, (61, 45)),
        ({"scale": 2}, (122, 90)),
        ({"scale": 0.5}, (30, 22)),
        ({"width": 122}, (122, 90)),
        ({"height": 90}, (122, 90)),
        ({"width": 50, "height": 50, "scale": 3}, (50, 50)),
    ],
)
def test_img2img_sizes(settings: dict[str, Any], size: tuple[int, int]):
    outcome, calls = asked(stage("img2img", **settings), photo(61, 45))
    assert outcome.pictures[0].image.size == size
    sent = decode_picture(calls[0].init_images[0], what="")
    assert sent.size == (calls[0].width, calls[0].height) == tuple(-(-side // 8) * 8 for side in size)
    assert (calls[0].resize_mode, calls[0].mask, calls[0].denoising_strength) == (0, None, 0.4)


@pytest.mark.parametrize("mode", ["crop", "fill", "stretch"])
def test_other_proportions_go_by_the_resize_mode(mode: str):
    _, calls = asked(stage("img2img", width=64, height=32, resize_mode=mode), photo(64, 64))
    sent = pixels(decode_picture(calls[0].init_images[0], what=""))
    if mode == "crop":
        assert (sent == pixels(photo(64, 64))[16:48]).all()
    elif mode == "fill":
        assert (sent[:, 16:48] == pixels(photo(64, 64).resize((32, 32), Image.Resampling.LANCZOS))).all()
    else:
        assert (sent == pixels(photo(64, 64).resize((64, 32), Image.Resampling.LANCZOS))).all()


def test_img2img_sees_transparency_as_white():
    taken = photo(64, 64).convert("RGBA")
    taken.putalpha(Image.linear_gradient("L").resize((64, 64)))
    _, calls = asked(stage("img2img"), taken)
    sent = decode_picture(calls[0].init_images[0], what="")
    assert sent.mode == "RGB"
    assert abs(pixels(sent)[0] - 255).max() <= 2


def test_all_candidates_are_cut():
    outcome = run(stage("img2img", batch_size=2, n_iter=3), photo(61, 45))
    assert [picture.image.size for picture in outcome.pictures] == [(61, 45)] * 6
    kind = STAGES["img2img"]
    assert kind.count(stage("img2img", batch_size=2, n_iter=3), 1) == 6


def test_what_could_not_be_stored_is_refused_before_it_is_drawn():
    with pytest.raises(TooLarge, match="16000×8000 is asked for; 64 megapixels is the most"):
        run(stage("txt2img", width=16000, height=8000))


def test_costs_go_with_pixels_steps_and_pictures():
    cost = {name: kind.cost for name, kind in STAGES.items()}
    assert cost["txt2img"](stage("txt2img", width=1000, height=1000, steps=10, batch_size=2)) == pytest.approx(20)
    assert cost["img2img"](stage("img2img", width=1000, height=1000, steps=10, denoising_strength=0.5)) == pytest.approx(5)
    twice = {"hires": {"hr_second_pass_steps": 5, "denoising_strength": 0.5}}
    assert cost["txt2img"](stage("txt2img", width=1000, height=1000, steps=10, **twice)) == pytest.approx(10 + 4 * 5 * 0.5)
    assert cost["upscale"](stage("upscale")) == 0
    assert cost["sheet"](stage("sheet")) == 0
