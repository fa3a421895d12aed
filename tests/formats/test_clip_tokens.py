"""Are tokens counted as the tokenizer of the text encoders counts them?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from lib_extension.formats.clip_tokens import LONGEST, count_tokens
from tests.tiny import TOKENIZER


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(TOKENIZER)


def counted(tokenizer: CLIPTokenizer, text: str) -> int:
    return len(tokenizer(text, add_special_tokens=False, truncation=False, verbose=False)["input_ids"])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("a cat", 2),
        ("a cat, sitting", 4),
        ("it's 1girl, 4k", 7),
        ("masterpiece, best quality, ultra-detailed, (8k uhd), dslr", 16),
        ("Ein Mädchen mit Hüten!!! don't'll café №5 ½ ² 日本語 😀", None),
        ("x" * 300, None),
        ("we'll'd '!'s ''t _under_score_ a_b <|a|>", None),
        ("\u200b e\u0301 ﬁ ٣٤", None),
    ],
)
def test_counts_are_the_tokenizers(tokenizer: CLIPTokenizer, text: str, count: int | None):
    assert count_tokens(text) == counted(tokenizer, text)
    assert count is None or count_tokens(text) == count


# Neither control characters nor such as are not assigned yet: what counts as a space or a letter there differs by Unicode's version.
_SIGNS = st.characters(codec="utf-8", max_codepoint=0x2FFF, exclude_categories=("Cc", "Cn", "Cs"), exclude_characters="‘’“”")


@given(st.text(st.sampled_from("abcdefgst '!?.,-_()019éß日½²\n") | _SIGNS, max_size=60))
def test_any_text_is_counted_alike(tokenizer: CLIPTokenizer, text: str):
    assert count_tokens(text) == counted(tokenizer, text)


def test_an_endless_text_and_half_a_character_are_counted():
    assert count_tokens("word " * LONGEST) == LONGEST // 5
    assert count_tokens("a" * LONGEST) > 75
    assert count_tokens("\ud800") > 0
