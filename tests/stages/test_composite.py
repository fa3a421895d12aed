"""The original's pixels come back to the bit, and only where they are wanted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib_extension.spec.errors import BadRequest
from lib_extension.stages import STAGES
from tests.stages.painting import photo, pixels, run, stage


def product(width: int, height: int) -> Image.Image:
    """A picture that is opaque in its middle only."""
    image = photo(width, height, place=2).convert("RGBA")
    alpha = Image.new("L", image.size)
    alpha.paste(255, (width // 4, height // 4, 3 * width // 4, 3 * height // 4))
    image.putalpha(alpha)
    return image


@settings(max_examples=20, deadline=None)
@given(width=st.integers(8, 80), height=st.integers(8, 80))
def test_the_opaque_part_is_the_originals_and_the_rest_the_pictures(width: int, height: int):
    taken, original = photo(width, height), product(width, height)
    result = pixels(run(stage("composite", over="o"), taken, o=original).pictures[0])
    opaque = np.asarray(original.getchannel("A")) == 255
    assert np.array_equal(result[opaque], pixels(original)[opaque][:, :3])
    assert np.array_equal(result[~opaque], pixels(taken)[~opaque])


def test_a_mask_chooses_among_what_is_opaque():
    taken, original = photo(64, 64), product(64, 64)
    mask = Image.new("L", (64, 64))
    mask.paste(255, (0, 0, 32, 64))
    result = pixels(run(stage("composite", over="o", mask="m"), taken, o=original, m=mask).pictures[0])
    assert np.array_equal(result[16:48, 16:32], pixels(original)[16:48, 16:32, :3])
    result[16:48, 16:32] = pixels(taken)[16:48, 16:32]
    assert np.array_equal(result, pixels(taken))


def test_an_original_of_another_size_is_brought_to_the_pictures():
    taken, original = photo(64, 64), product(128, 128)
    result = pixels(run(stage("composite", over="o"), taken, o=original).pictures[0])
    wanted = pixels(original.resize((64, 64), Image.Resampling.BOX))
    assert np.array_equal(result[20:44, 20:44], wanted[20:44, 20:44, :3])
    with pytest.raises(BadRequest, match='The original "o" is 128×64, its picture 64×64: other proportions'):
        run(stage("composite", over="o"), taken, o=photo(128, 64))


def test_colours_are_matched_at_the_edge_only():
    bright = Image.new("RGB", (96, 96), (200, 200, 200))
    original = Image.new("RGBA", (96, 96), (100, 100, 100, 0))
    original.paste((100, 100, 100, 255), (16, 16, 80, 80))
    plain = pixels(run(stage("composite", over="o"), bright, o=original).pictures[0])
    matched = pixels(run(stage("composite", over="o", match_colour=True, match_width=12), bright, o=original).pictures[0])
    assert (plain[40:56, 40:56] == 100).all()
    assert (matched[40:56, 40:56] == 100).all()
    assert plain[48, 16, 0] == 100
    assert matched[48, 16, 0] > 160
    assert (matched[:16] == 200).all()


def test_transparency_and_how_it_was_made_stay():
    taken = photo(64, 64).convert("RGBA")
    taken.putalpha(90)
    (picture,) = run(stage("composite", over="o"), taken, o=product(64, 64)).pictures
    alpha = pixels(picture)[..., 3]
    assert (alpha[16:48, 16:48] == 255).all()
    assert (alpha[:16] == 90).all()
    assert (picture.infotext, picture.seed, picture.image.info["parameters"]) == ("a photograph", 3, "a photograph")


def test_nothing_to_paste():
    def composite(when: str):
        return run(stage("composite", over="o", when_empty=when), photo(64, 64), o=photo(64, 64, place=1))

    with pytest.raises(BadRequest, match="found nothing to choose"):
        composite("fail")
    assert composite("skip").pictures == ()
    assert np.array_equal(pixels(composite("keep").pictures[0]), pixels(photo(64, 64)))
    assert np.array_equal(pixels(composite("whole").pictures[0]), pixels(photo(64, 64, place=1)))


def test_what_it_names():
    kind = STAGES["composite"]
    assert kind.references(stage("composite", over="o", mask={"kind": "alpha", "of": "d"})) == ("o", "d")
    assert kind.local(stage("composite", over="o"))
    assert not kind.local(stage("composite", over="o", mask={"kind": "text", "text": "watch"}))
    with pytest.raises(BadRequest, match='"over" is empty'):
        stage("composite", over="")
