"""Is a text cut into chunks where the WebUI cuts it?"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extension.engine.chunks import CHUNK_LENGTH, Tokens, cut
from lib_extension.engine.embeddings import Embedding, index_embeddings
from lib_extension.models.single_file import bundled_tokenizer
from tests.engine.webui_recordings import recorded

TOKENS = Tokens(bundled_tokenizer("<|endoftext|>"))
LENGTHS = {"learned": 3, "two words": 8, "two": 2, "bighat": 75}
EMBEDDINGS = index_embeddings([Embedding(name, "", (torch.zeros(length, 4),)) for name, length in LENGTHS.items()], TOKENS.of)
NONE = index_embeddings([], TOKENS.of)


@pytest.mark.parametrize("case", recorded("chunks"), ids=lambda case: case["prompt"][:20])
def test_chunks_are_the_webuis(case: dict[str, Any]):
    result = cut(case["prompt"], TOKENS, EMBEDDINGS)
    chunks = [
        {
            "tokens": list(chunk.tokens),
            "weights": list(chunk.weights),
            "embeddings": [[start, embedding.name] for start, embedding in chunk.embeddings],
        }
        for chunk in result.chunks
    ]
    assert (chunks, result.token_count) == (case["chunks"], case["token_count"])


@given(st.text(st.sampled_from("a, b(:)[]1.2!BREAK"), max_size=300))
@settings(deadline=None, max_examples=50)
def test_a_chunk_always_has_77_tokens(text: str):
    for chunk in cut(text, TOKENS, NONE).chunks:
        assert len(chunk.tokens) == len(chunk.weights) == CHUNK_LENGTH + 2
        assert (chunk.tokens[0], chunk.tokens[-1]) == (TOKENS.start, TOKENS.end)


def test_without_emphasis_marks_are_words():
    (chunk,) = cut("(a:1.3) BREAK", TOKENS, NONE, emphasis=False).chunks
    words = TOKENS.of("(a:1.3) BREAK")
    assert chunk.tokens[1 : 1 + len(words)] == tuple(words)
    assert set(chunk.weights) == {1.0}


@pytest.mark.parametrize(("text", "same"), [("don’t", "don't"), ("“a”", '"a"'), ("ﬁne", "fine"), ("A  Cat\n", "a cat"), ("&amp;", "&")])
def test_text_is_repaired_as_in_training(text: str, same: str):
    assert TOKENS.of(text) == TOKENS.of(same)


def test_only_open_clip_resolves_entities_twice():
    open_clip = Tokens(bundled_tokenizer("<|endoftext|>"), open_clip=True)
    assert open_clip.of("&amp;amp; <3") == TOKENS.of("& <3")
    assert TOKENS.of("&amp;amp; <3") != TOKENS.of("& <3")
