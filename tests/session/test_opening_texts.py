"""Is an infotext that somebody pastes opened as a picture with it is?"""

from __future__ import annotations

from pathlib import Path

from lib_extension.session.home import Home
from lib_extension.session.session import Session

INFOTEXT = (
    "a cat: sitting, {x}\nNegative prompt: rain\nSteps: 8, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 12, Size: 64x96"
)


def test_an_infotext_is_a_recipe_of_one_stage(tmp_path: Path):
    session = Session(Home(tmp_path), [])
    try:
        opened = session.opener.open(INFOTEXT.encode())
    finally:
        session.close()
    (stage,) = opened.recipe["stages"]
    assert opened.told_by == "the text"
    assert (stage["prompt"], stage["negative_prompt"], stage["seed"]) == ("a cat: sitting, {{x}}", "rain", 12)
    assert (stage["sampler_name"], stage["scheduler"], stage["width"], stage["height"]) == ("DPM++ 2M", "Karras", 64, 96)
