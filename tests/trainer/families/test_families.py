"""Are captions read as the WebUI reads prompts, and is each family's U-Net told what it wants to know?"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.engine.chunks import cut
from lib_extension.engine.conditioning import TextEncoders
from lib_extension.engine.embeddings import Embeddings
from lib_extension.models.checkpoint import Checkpoint
from lib_extension.models.clip_reading import Tokens
from lib_extension.models.single_file import bundled_tokenizer
from tests.trainer.models import load, pictures
from trainer.families import FAMILIES, TextStates
from trainer.families.captions import cut_caption, joined
from trainer.families.sdxl import time_ids

SHORT = "a red hat on a table, drawn"
LONG = ", ".join(f"tag number {number} of a long caption" for number in range(20))
WORDS = Tokens(bundled_tokenizer("<|endoftext|>"))


@pytest.fixture(params=["sd1", "sd2", "sdxl"])
def checkpoint(request: pytest.FixtureRequest) -> Checkpoint:
    return load(request.getfixturevalue(f"{request.param}_folder"))


@pytest.mark.parametrize("clip_skip", [1, 2])
def test_captions_are_read_as_the_webui_reads_prompts(checkpoint: Checkpoint, clip_skip: int) -> None:
    family, engine = FAMILIES[checkpoint.family], TextEncoders(checkpoint)
    for caption in (SHORT, LONG):
        with torch.no_grad():
            mine = family.encode_text(checkpoint, [caption], clip_skip, 0)
        theirs = engine.encode([caption], 20, clip_skip, "None").at(0)
        assert mine.hidden.shape[1] == (77 if caption == SHORT else 77 * 3)
        torch.testing.assert_close(mine.hidden, theirs.states, rtol=1e-4, atol=1e-4)
        assert (mine.pooled is None) == (checkpoint.family != "sdxl")
        if mine.pooled is not None:
            torch.testing.assert_close(mine.pooled, theirs.pooled, rtol=1e-4, atol=1e-4)


def test_brackets_are_words_in_a_caption() -> None:
    assert cut_caption(WORDS, "a (red:1.5) BREAK hat") == [tuple(WORDS.of("a (red:1.5) BREAK hat"))]


@given(st.lists(st.sampled_from(["hat", ",", "of red straw", "tattered", ", , ,", "a b c d e f g h i j k l m n o p"]), max_size=90))
def test_pieces_are_the_webuis(words: list[str]) -> None:
    caption = " ".join(words)
    theirs = cut(caption, WORDS, Embeddings({}), emphasis=False)
    mine = cut_caption(WORDS, caption)
    assert [(WORDS.start, *piece, *[WORDS.end] * (76 - len(piece))) for piece in mine] == [chunk.tokens for chunk in theirs.chunks]


def test_a_batch_is_its_captions(checkpoint: Checkpoint) -> None:
    """Encoded together, or singly (from a cache) and joined: the same, though one is two chunks long."""
    encode = FAMILIES[checkpoint.family].encode_text
    with torch.no_grad():
        together = encode(checkpoint, [SHORT, LONG], 1, 0)
        one_by_one = [encode(checkpoint, [caption], 1, 0) for caption in (SHORT, LONG)]
        nothing = encode(checkpoint, [""], 1, 0)
    made = joined(one_by_one, nothing)
    torch.testing.assert_close(made.hidden, together.hidden, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(made.pooled, together.pooled, rtol=1e-5, atol=1e-5)


def test_a_fixed_length_cuts_and_lengthens(checkpoint: Checkpoint) -> None:
    encode = FAMILIES[checkpoint.family].encode_text
    with torch.no_grad():
        assert encode(checkpoint, [SHORT], 1, 3).hidden.shape[1] == 231
        first = encode(checkpoint, [LONG], 1, 1).hidden
        torch.testing.assert_close(first, encode(checkpoint, [LONG], 1, 0).hidden[:, :77], rtol=1e-5, atol=1e-5)


def test_gradients_reach_the_encoders(checkpoint: Checkpoint) -> None:
    embedding = next(checkpoint.text_encoders[0].parameters())
    embedding.requires_grad_(True)
    FAMILIES[checkpoint.family].encode_text(checkpoint, [SHORT], 1, 0).hidden.square().sum().backward()
    assert embedding.grad is not None
    assert embedding.grad.abs().sum() > 0


def test_predict_is_the_unets_answer(checkpoint: Checkpoint) -> None:
    """The family's answer is the network's own to the same words; of SDXL with six time ids beside the pooled text."""
    batch, times = pictures(), torch.tensor([10, 900])
    family = FAMILIES[checkpoint.family]
    with torch.no_grad():
        text = family.encode_text(checkpoint, batch.captions, 1, 0)
        made = family.predict(checkpoint.unet, batch.latents, times, text, batch)
        ids = torch.tensor([[64.0, 64, 0, 0, 64, 64]] * 2)
        added = {"text_embeds": text.pooled, "time_ids": ids} if checkpoint.family == "sdxl" else None
        expected = checkpoint.unet(batch.latents, times, text.hidden, added_cond_kwargs=added).sample
    assert torch.equal(made, expected)


def test_time_ids_are_in_sdxls_order() -> None:
    class Cut:
        original_sizes = torch.tensor([[1000, 1500]])
        crops = torch.tensor([[12, 34]])
        target_sizes = torch.tensor([[832, 1216]])

    assert time_ids(Cut()).tolist() == [[1000, 1500, 12, 34, 832, 1216]]


def test_crops_change_sdxls_answer_and_no_others(checkpoint: Checkpoint) -> None:
    batch = pictures()
    cropped = pictures()
    cropped.crops[:] = 40
    text = TextStates(torch.ones(2, 77, checkpoint.unet.config["cross_attention_dim"]), torch.ones(2, 48))
    times = torch.tensor([10, 900])
    with torch.no_grad():
        answers = [FAMILIES[checkpoint.family].predict(checkpoint.unet, batch.latents, times, text, of) for of in (batch, cropped)]
    assert torch.equal(*answers) == (checkpoint.family != "sdxl")
