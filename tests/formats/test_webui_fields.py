"""png-info's `parameters` are the WebUI's, with its defaults and its care for older versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib_extension.formats.webui_fields import webui_fields

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "png_info.json").read_text("utf-8"))
LINE = "p\nSteps: 20, Sampler: DDIM, Size: 1024x768, Version: "


def plain(prompt: str) -> bool:
    return False


@pytest.mark.parametrize("recorded", RECORDED)
def test_as_recorded(recorded: dict[str, Any]):
    assert webui_fields(recorded["info"], plain) == recorded["parameters"]


def test_emphasis_is_named_where_a_prompt_uses_it():
    assert webui_fields("(a:1.2)", lambda prompt: ":1.2" in prompt)["Emphasis"] == "Original"
    assert webui_fields("a", lambda prompt: ":1.2" in prompt).get("Emphasis") is None


@pytest.mark.parametrize(
    ("version", "switches"),
    [
        ("1.10.1", set()),
        ("v1.10.1-2-gabc", set()),
        ("f2.0.1v1.10.1-previous-1-gabc", set()),
        ("1.8.0-RC", set()),
        ("v1.7.0-226-gabc", set()),
        ("v1.7.0-224-gabc", {"Downcast alphas_cumprod"}),
        ("1.5.1", {"Downcast alphas_cumprod", "Pad conds v0"}),
        ("", set()),
        ("nonsense", set()),
    ],
)
def test_older_versions(version: str, switches: set[str]):
    known = {"Downcast alphas_cumprod", "Pad conds v0", "Old prompt editing timelines"}
    assert known & webui_fields(LINE + version, plain).keys() == switches


def test_prompt_editing_and_refiner_of_older_versions():
    assert webui_fields("[a]" + LINE[1:] + "1.5.1", plain)["Old prompt editing timelines"] is True
    assert webui_fields(LINE + "1.7.0, Refiner: x", plain)["Refiner switch by sampling steps"] is True
    assert webui_fields(LINE + "1.8.0, Refiner: x", plain)["Refiner switch by sampling steps"] is False


@pytest.mark.parametrize(("first", "size"), [("640x512", (640, 512)), ("0x0", (640, 448))])
def test_early_two_pass_sizes(first: str, size: tuple[int, int]):
    fields = webui_fields(f"p\nSteps: 20, Seed: 1, Size: 1024x768, First pass size: {first}", plain)
    assert (fields["Size-1"], fields["Size-2"]) == size
    assert (fields["Hires resize-1"], fields["Hires resize-2"]) == (1024, 768)


@pytest.mark.parametrize("size", ["abc", "9" * 5000, "", "-5"])
def test_sizes_that_are_none(size: str):
    fields = webui_fields(f"p\nSteps: 20, Seed: 1, First pass size: 0x0, Size-1: {size}, Size-2: 5", plain)
    assert fields["Hires resize-2"] == 5
