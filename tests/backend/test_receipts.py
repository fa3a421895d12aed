"""Do the rules agree with what a real WebUI answered? Its right answers pass all of them, its wrong ones fail the rule that is for them."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_extension.backend import receipts
from lib_extension.backend.errors import WrongAnswer
from lib_extension.backend.receipts import RECEIPTS, Asked, check_receipts, lora_hashes
from lib_extension.backend.returned import Returned, read_returned
from lib_extension.pictures.png import encode_base64
from lib_extension.spec.errors import AtelierError
from lib_extension.spec.sdapi import Img2Img, Txt2Img
from tests.backend.asked import backend_over
from tests.backend.misbehaving import LoraFile, Misbehaving

RECORDED = Path(__file__).parents[1] / "data" / "webui"
_PICTURE = re.compile(r"<base64 PNG (\d+)x(\d+) .*")


def exchange(name: str) -> tuple[Asked, Returned]:
    """A recorded call and its answer, its pictures drawn anew in the recorded sizes; maps have no infotext, as recorded."""
    recorded = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))
    request, response = recorded["request"], recorded["response"]
    kind = Img2Img if request["path"].endswith("img2img") else Txt2Img
    known = {field.name for field in dataclasses.fields(kind)}
    body = {field: _with_pictures(value) for field, value in request["body"].items() if field in known}
    info = response["info"]
    info = info if isinstance(info, str) else json.dumps(info)
    # Without a sampler, the recorded WebUI took its sampler_index.
    asked = Asked(kind(**body), backend_over(Misbehaving(loras={"tinylora": LoraFile("dff462c33536")})).inventory(), "the WebUI")
    return asked, read_returned({"images": [_drawn(text) for text in response["images"]], "info": info}, "the WebUI")


def _with_pictures(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_pictures(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_pictures(inner) for inner in value]
    return _drawn(value) if isinstance(value, str) and _PICTURE.match(value) else value


def _drawn(text: str) -> str:
    size = _PICTURE.match(text)
    assert size is not None
    pixels = np.random.default_rng(0).integers(0, 256, (int(size[2]), int(size[1]), 3), np.uint8)
    return encode_base64(Image.fromarray(pixels), "an infotext" if "parameters" in text else None)


@pytest.mark.parametrize(
    "name",
    [
        "post/txt2img-batch2",
        "post/txt2img-hires",
        "post/txt2img-lora",
        "post/txt2img-niter2-save",
        "post/txt2img-old-sampler-name",
        "post/txt2img-override-settings",
        "post/txt2img-scheduler",
        "post/img2img",
        "post/img2img-inpaint-masked",
        "post/img2img-inpaint-whole",
        "controlnet/txt2img-canny",
        "controlnet/txt2img-two-units",
        "controlnet/txt2img-model-by-bare-name",
        "controlnet/txt2img-disabled",
        "controlnet/img2img-canny",
    ],
)
def test_right_answers_pass(name: str) -> None:
    check_receipts(*exchange(name))


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("errors/txt2img-unknown-sampler", receipts.sampler_as_asked),
        ("errors/txt2img-unknown-scheduler", receipts.scheduler_as_asked),
        ("errors/txt2img-width-100", receipts.sizes_as_asked),
        ("controlnet/err-no-image", receipts.units_guided),
        ("controlnet/err-bad-image", receipts.units_guided),
        ("controlnet/err-unknown-model", receipts.units_guided),
        ("controlnet/err-annotator-offline", receipts.units_guided),
        ("controlnet/err-too-many-units", receipts.units_guided),
        ("controlnet/txt2img-none", receipts.units_guided),  # asked for no map, so nothing is proven; the dialect asks for it
    ],
)
def test_wrong_answers_fail_the_rule_for_them(name: str, rule: Any) -> None:
    asked, got = exchange(name)
    failed = []
    for each in RECEIPTS:
        try:
            each(asked, got)
        except WrongAnswer:
            failed.append(each)
    assert failed == [rule]


def test_a_dropped_checkpoint_is_seen_by_its_hash() -> None:
    """The recorded call named one that is nowhere; here it names another that is there."""
    asked, got = exchange("errors/txt2img-unknown-checkpoint-override")
    receipts.checkpoint_as_asked(asked, got)  # such a call is refused before it is sent
    other = dataclasses.replace(asked.body, override_settings={"sd_model_checkpoint": "tiny2"})
    with pytest.raises(WrongAnswer, match=r'"tiny2" \(3514fb4050\) and used "tiny" \(d3a68a9e49\)'):
        receipts.checkpoint_as_asked(dataclasses.replace(asked, body=other), got)


def test_a_checkpoint_without_a_known_hash_is_seen_by_its_name() -> None:
    asked, got = exchange("post/txt2img-scheduler")
    unknown = [dataclasses.replace(found, hash="", sha256="") for found in asked.inventory.checkpoints]
    asked = dataclasses.replace(asked, inventory=dataclasses.replace(asked.inventory, checkpoints=tuple(unknown)))
    receipts.checkpoint_as_asked(asked, got)
    other = dataclasses.replace(asked.body, override_settings={"sd_model_checkpoint": "tiny2"})
    with pytest.raises(WrongAnswer, match="no hash known"):
        receipts.checkpoint_as_asked(dataclasses.replace(asked, body=other), got)


def test_masks_between_pictures_are_told_from_them() -> None:
    """With the options return_mask and return_grid, and a map behind them."""
    picture, mask = _drawn("<base64 PNG 8x8 with 'parameters', 1 chars>"), encode_base64(Image.new("L", (8, 8)))
    grid = encode_base64(Image.new("RGB", (16, 8)), "a grid")
    info = {"all_seeds": [1, 2], "infotexts": ["grid", "one", "two"], "index_of_first_image": 1}
    got = read_returned({"images": [grid, picture, mask, picture, mask, mask], "info": json.dumps(info)}, "x")
    assert [file.image.mode for file in got.pictures] == ["RGB", "RGB"]
    assert len(got.extras) == 3
    assert got.infotexts == ("one", "two")


@pytest.mark.parametrize("answer", [None, [], {}, {"info": "{}", "images": []}, {"info": "[]", "images": []}, {"info": "no", "images": []}])
def test_what_is_no_answer_is_told(answer: Any) -> None:
    with pytest.raises(WrongAnswer, match="is it a WebUI"):
        read_returned(answer, "x")


@pytest.mark.parametrize(("seeds", "images"), [('["x"]', []), ("[]", [7]), ("7", [])])
def test_what_is_half_an_answer_is_told(seeds: str, images: list[Any]) -> None:
    with pytest.raises(WrongAnswer, match="is it a WebUI"):
        read_returned({"info": f'{{"all_seeds": {seeds}, "infotexts": []}}', "images": images}, "x")


@pytest.mark.parametrize("picture", ["", "!!", "bm90IGEgcGljdHVyZQ=="])
def test_what_is_no_picture_is_told(picture: str) -> None:
    with pytest.raises(AtelierError, match="A picture from the backend is not"):
        read_returned({"info": '{"all_seeds": [1], "infotexts": ["x"]}', "images": [picture]}, "x")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("style: aa11bb22cc33", {"style": "aa11bb22cc33"}),
        ("a b: 1f00, c-d_2: 2E11", {"a b": "1f00", "c-d_2": "2e11"}),
        ("", {}),
    ],
)
def test_lora_hashes_are_read(text: str, found: dict[str, str]) -> None:
    assert lora_hashes({"Lora hashes": text}) == found
