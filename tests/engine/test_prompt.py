"""Do prompts mean what they mean in the WebUI?"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.engine.prompt import ExtraNetwork, LoraTag, extra_networks, lora_tag, parse_attention, split_and
from lib_extension.spec.errors import BadRequest
from tests.engine.webui_recordings import recorded

PROMPTS = st.text(st.sampled_from("ab \n:()[]\\.1BREAKND<>|,="), max_size=40)


def test_emphasis_is_the_webuis():
    wrong = [(prompt, pieces) for prompt, pieces in recorded("attention") if [list(piece) for piece in parse_attention(prompt)] != pieces]
    assert wrong == []


def test_parts_are_the_webuis():
    assert [(prompt, parts) for prompt, parts in recorded("parts") if [list(part) for part in split_and(prompt)] != parts] == []


@pytest.mark.parametrize(("prompt", "text", "by_kind"), recorded("networks"))
def test_extra_networks_are_the_webuis(prompt: str, text: str, by_kind: dict[str, Any]):
    found = defaultdict(list)
    without, tags = extra_networks(prompt)
    for tag in tags:
        found[tag.kind].append([list(tag.positional), tag.named])
    assert (without, found) == (text, by_kind)


@pytest.mark.parametrize("number", ["1.2.3", ".", "+", "--1", "1e3"])
def test_a_weight_that_is_no_number_is_text(number: str):
    """The WebUI answers some of these with an error."""
    assert parse_attention(f"(a:{number}) b") == [(f"a:{number}", 1.1), (" b", 1.0)]


@given(PROMPTS)
def test_anything_can_be_read(prompt: str):
    assert all(math.isfinite(weight) for _, weight in parse_attention(prompt))
    assert all(math.isfinite(weight) for _, weight in split_and(prompt))
    extra_networks(prompt)


@given(st.text(st.characters(exclude_characters="()[]\\:"), max_size=60).filter(lambda text: "BREAK" not in text))
def test_a_text_without_marks_is_one_piece(text: str):
    assert parse_attention(text) == [(text, 1.0)]


@given(st.text(max_size=30).filter(lambda text: "BREAK" not in text))
def test_escaped_marks_are_text(text: str):
    escaped = "".join(f"\\{character}" if character in "()[]\\" else character for character in text)
    assert parse_attention(escaped) == [(text, 1.0)]


@pytest.mark.parametrize(
    ("tag", "meaning"),
    [
        ("<lora:x>", LoraTag("x", 1.0, 1.0)),
        ("<lora:x:0.8>", LoraTag("x", 0.8, 0.8)),
        ("<lora:x:0.8:0.5>", LoraTag("x", text_encoder_weight=0.8, unet_weight=0.5)),
        ("<lora:x:unet=0.5>", LoraTag("x", text_encoder_weight=1.0, unet_weight=0.5)),
        ("<lora:x:te=0.5>", LoraTag("x", text_encoder_weight=0.5, unet_weight=0.5)),
        ("<lora:x:0.2:0.3:te=0.5:unet=-1>", LoraTag("x", text_encoder_weight=0.5, unet_weight=-1.0)),
        ("<lora:unet=2:x>", LoraTag("x", text_encoder_weight=1.0, unet_weight=2.0)),
    ],
)
def test_lora_tags(tag: str, meaning: LoraTag):
    assert lora_tag(extra_networks(tag)[1][0]) == meaning


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("te=1",), "<lora:te=1> names no LoRA. Write <lora:name:weight>."),
        (("x", "strong"), "<lora:x:strong> has a weight that is not a number. Write <lora:x:0.8>."),
        (("x", ""), "<lora:x:> has a weight that is not a number. Write <lora:x:0.8>."),
    ],
)
def test_a_bad_lora_tag_says_what_to_write(args: tuple[str, ...], message: str):
    with pytest.raises(BadRequest) as raised:
        lora_tag(ExtraNetwork("lora", args))
    assert str(raised.value) == message
