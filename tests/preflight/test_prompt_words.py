"""What is read out of prompts, roughly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.preflight.prompt_words import LoraTag, chunks, lora_tags, most_tokens, plain_words, stresses


@pytest.mark.parametrize(
    ("prompt", "tags"),
    [
        ("", []),
        ("a <lora:cat> b", [LoraTag("cat", 1)]),
        ("<lora:cat:0.8><lyco:dog:0.5:0.7>", [LoraTag("cat", 0.8), LoraTag("dog", 0.7)]),
        ("<lora:cat:te=0.5:unet=0.2>", [LoraTag("cat", 0.2)]),
        ("<lora:cat:te=0.5>", [LoraTag("cat", 1)]),
        ("<lora:cat:much> <hypernet:x:1> <lora:", [LoraTag("cat", 1)]),
    ],
)
def test_lora_tags(prompt: str, tags: list[LoraTag]):
    assert lora_tags(prompt) == tags


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a (red:1.2) [watch], <lora:brand:1>((new))", "a red watch, new"),
        (r"a \(drawn\) watch", "a (drawn) watch"),
        ("a [cat:large dog:0.5] and [cow|horse]", "a large dog and horse"),
        ("[later:0.3]", "later"),
    ],
)
def test_plain_words(prompt: str, words: str):
    assert plain_words(prompt) == words


def test_stresses_are_those_written_out():
    assert stresses("(a:1.3) ((b)) (c:.5) <lora:x:2> d:4") == [1.3, 0.5]


def test_parts_are_read_by_themselves():
    assert most_tokens("one two BREAK one two three AND one") == 3
    assert most_tokens("") == 0
    assert [chunks(tokens) for tokens in (0, 75, 76, 151)] == [1, 1, 2, 3]


@given(st.text(st.sampled_from("a ()[]:|\\<>1.,BREAKND"), max_size=80))
def test_any_prompt_is_read(prompt: str):
    assert most_tokens(prompt) >= 0
    assert all(isinstance(weight, float) for weight in stresses(prompt))
    assert all(tag.name is not None for tag in lora_tags(prompt))


@pytest.mark.parametrize("sign", ["(", "[", "<lora:", ":", "[a:", "\\", "(a:1", "[a|"])
def test_hostile_prompts_are_read_in_time(sign: str):
    assert most_tokens(sign * 100_000) >= 0
    assert lora_tags(sign * 100_000) == []
