"""Only what a mask chooses changes, in the saved file and to the bit, whatever the backend did to the rest."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib_extension.pictures import masks
from lib_extension.pictures.png import decode_picture
from lib_extension.spec.errors import BadRequest
from lib_extension.stages.stage import Outcome
from tests.stages.painting import asked, photo, pixels, run, stage


def a_mask(width: int, height: int) -> Image.Image:
    """A disc off the middle, cut by the right border."""
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    return Image.fromarray(np.where((across - width * 0.8) ** 2 + (down - height / 2) ** 2 < (height / 3) ** 2, 255, 0).astype(np.uint8))


def saved(outcome: Outcome) -> Image.Image:
    """The file's picture, opened by another way than our own."""
    return Image.open(io.BytesIO(outcome.pictures[0].png))


@pytest.mark.parametrize("size", [(128, 128), (131, 97), (65, 200), (129, 128)])
@pytest.mark.parametrize("only_masked", [True, False])
def test_outside_the_mask_to_paste_back_nothing_changes(size: tuple[int, int], only_masked: bool):
    taken, mask = photo(*size), a_mask(*size)
    settings = stage("inpaint", mask="m", paste_back="m", inpaint_full_res=only_masked, mask_blur=6)
    result = saved(run(settings, taken, m=mask))
    assert result.size == size
    change = np.abs(pixels(result) - pixels(taken)).max(axis=-1)
    outside = np.asarray(mask) == 0
    assert change[outside].max() == 0
    assert change[~outside].min() > 0


@pytest.mark.parametrize("size", [(128, 128), (131, 97)])
@pytest.mark.parametrize("blur", [0, 5])
def test_without_a_second_mask_what_the_blur_reaches_is_the_backends(size: tuple[int, int], blur: int):
    taken, mask = photo(*size), a_mask(*size)
    result = saved(run(stage("inpaint", mask="m", mask_blur=blur), taken, m=mask))
    change = np.abs(pixels(result) - pixels(taken)).max(axis=-1)
    reached = np.asarray(masks.grow(mask, 4 * blur)) > 0
    assert change[~reached].max() == 0
    assert change[np.asarray(mask) > 0].min() > 0
    if not blur:
        assert np.array_equal(change > 0, np.asarray(mask) > 0)


@settings(max_examples=25, deadline=None)
@given(width=st.integers(9, 90), height=st.integers(9, 90), only_masked=st.booleans(), blur=st.integers(0, 8), data=st.data())
def test_outside_at_any_size(width: int, height: int, only_masked: bool, blur: int, data: st.DataObject):
    left, top = data.draw(st.integers(0, width - 2)), data.draw(st.integers(0, height - 2))
    right, bottom = data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height))
    mask = Image.new("L", (width, height))
    mask.paste(255, (left, top, right, bottom))
    taken = photo(width, height)
    settings = stage("inpaint", mask="m", paste_back="m", inpaint_full_res=only_masked, mask_blur=blur)
    change = np.abs(pixels(run(settings, taken, m=mask).pictures[0]) - pixels(taken)).max(axis=-1)
    assert np.array_equal(change > 0, np.asarray(mask) > 0)


def test_drawn_at_another_size_the_picture_keeps_its_own():
    taken, mask = photo(131, 97), a_mask(131, 97)
    outcome, calls = asked(stage("inpaint", mask="m", paste_back="m", width=262), taken, m=mask)
    assert (calls[0].width, calls[0].height) == (264, 200)
    assert decode_picture(calls[0].init_images[0], what="").size == decode_picture(calls[0].mask, what="").size == (264, 200)
    assert outcome.pictures[0].image.size == (131, 97)
    change = np.abs(pixels(outcome.pictures[0]) - pixels(taken)).max(axis=-1)
    assert change[np.asarray(mask) == 0].max() == 0


def test_only_masked_sends_the_picture_as_it_is_and_the_size_to_draw_at():
    _, calls = asked(stage("inpaint", mask="m", width=512, height=500, inpaint_full_res=True), photo(131, 97), m=a_mask(131, 97))
    assert (calls[0].width, calls[0].height) == (512, 504)
    assert decode_picture(calls[0].init_images[0], what="").size == (136, 104)
    assert calls[0].inpaint_full_res is True


def test_the_edge_is_repeated_where_the_picture_is_widened():
    taken, mask = photo(131, 97), a_mask(131, 97)
    _, calls = asked(stage("inpaint", mask="m"), taken, m=mask)
    sent = pixels(decode_picture(calls[0].init_images[0], what=""))
    assert np.array_equal(sent[:97, :131], pixels(taken))
    assert np.array_equal(sent[:97, 135], pixels(taken)[:, 130])
    assert np.array_equal(sent[103, :131], pixels(taken)[96])


def test_transparency_is_kept_outside():
    taken = photo(40, 40).convert("RGBA")
    taken.putalpha(a_mask(40, 40).point(lambda value: 200 if value else 13))
    mask = Image.new("L", (40, 40))
    mask.paste(255, (0, 0, 10, 40))
    result = run(stage("inpaint", mask="m", paste_back="m"), taken, m=mask).pictures[0].image
    assert result.mode == "RGBA"
    assert np.array_equal(pixels(result)[:, 10:], pixels(taken)[:, 10:])
    assert (pixels(result)[:, :10, 3] == 255).all()


def test_a_grey_picture_becomes_one_in_colour():
    taken = photo(40, 40).convert("L")
    result = run(stage("inpaint", mask={"kind": "geometry", "rectangles": [[0, 0, 8, 8]]}, mask_blur=0), taken).pictures[0].image
    assert result.mode == "RGB"
    assert np.array_equal(pixels(result)[8:], np.repeat(pixels(taken)[8:, :, None], 3, axis=2))


def test_every_candidate_is_pasted_back():
    mask = a_mask(40, 40)
    outcome = run(stage("inpaint", mask="m", paste_back="m", batch_size=2, n_iter=2), photo(40, 40), m=mask)
    assert [picture.seed for picture in outcome.pictures] == [7, 8, 9, 10]
    assert len({picture.png for picture in outcome.pictures}) == 4
    for picture in outcome.pictures:
        assert np.array_equal(pixels(picture)[np.asarray(mask) == 0], pixels(photo(40, 40))[np.asarray(mask) == 0])
        assert picture.image.info["parameters"] == picture.infotext
        assert f"Seed: {picture.seed}" in picture.infotext


def test_masks_in_place_are_asked_for_and_united():
    parts = [{"kind": "parts", "parts": ["face"]}, {"kind": "geometry", "rectangles": [[0, 0, 40, 3]]}]
    _, calls = asked(stage("inpaint", mask=parts, mask_blur=0), photo(40, 40))
    assert [type(call).__name__ for call in calls] == ["ModelMask", "Img2Img"]
    mask = pixels(decode_picture(calls[1].mask, what=""))
    assert (mask[:3] == 255).all()
    assert np.array_equal(mask[3:] > 0, pixels(photo(40, 40).convert("L"))[3:] > 128)


EMPTY = Image.new("L", (40, 40))


@pytest.mark.parametrize("masks", [{"mask": "m"}, {"mask": {"kind": "alpha"}}, {"mask": "full", "paste_back": "m"}])
class TestNothingToRedraw:
    full = Image.new("L", (40, 40), 255)

    def test_fails(self, masks: dict[str, object]):
        with pytest.raises(BadRequest, match=r'"s" found nothing to choose. "when_empty" says'):
            run(stage("inpaint", **masks), photo(40, 40), m=EMPTY, full=self.full)

    def test_is_skipped(self, masks: dict[str, object]):
        outcome, calls = asked(stage("inpaint", **masks, when_empty="skip"), photo(40, 40), m=EMPTY, full=self.full)
        assert (outcome.pictures, outcome.reason, calls) == ((), "Nothing is chosen to redraw.", [])

    def test_keeps_the_picture_as_it_is(self, masks: dict[str, object]):
        outcome, calls = asked(stage("inpaint", **masks, when_empty="keep"), photo(40, 40), m=EMPTY, full=self.full)
        assert np.array_equal(pixels(outcome.pictures[0]), pixels(photo(40, 40)))
        assert calls == []

    def test_redraws_all(self, masks: dict[str, object]):
        outcome, calls = asked(stage("inpaint", **masks, when_empty="whole"), photo(40, 40), m=EMPTY, full=self.full)
        assert (np.abs(pixels(outcome.pictures[0]) - pixels(photo(40, 40))) > 0).all()
        assert decode_picture(calls[0].mask, what="").getextrema() == (255, 255)


@pytest.mark.parametrize(("fill", "number"), [("fill", 0), ("original", 1), ("latent noise", 2), ("latent nothing", 3), (2, 2)])
def test_masked_content_goes_by_name_or_number(fill: str | int, number: int):
    _, calls = asked(stage("inpaint", mask="m", inpainting_fill=fill), photo(40, 40), m=a_mask(40, 40))
    assert calls[0].inpainting_fill == number


def test_a_mask_of_other_proportions_is_refused():
    with pytest.raises(BadRequest, match="40×80 does not fit a picture of 40×40"):
        run(stage("inpaint", mask="m"), photo(40, 40), m=Image.new("L", (40, 80), 255))


def test_no_mask_is_refused():
    with pytest.raises(BadRequest, match='"mask" is empty; name a mask stage'):
        stage("inpaint", mask="")
