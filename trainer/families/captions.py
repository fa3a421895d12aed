"""What do a family's text encoders say about captions, in chunks of 75 tokens as the WebUI reads a prompt?

Brackets and BREAK are words here: a caption is no prompt.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.models.clip_reading import CHUNK_LENGTH, COMMA_REACH, READINGS, Tokens, tokens_of
from trainer.families.family import TextStates


def encode(checkpoint: Checkpoint, captions: Sequence[str], clip_skip: int, chunks: int) -> TextStates:
    """The states of captions, the encoders' side by side. Each is `chunks` long, or with 0 as long as the longest of them.

    What is longer is cut off; what is shorter goes on with chunks of nothing. The pooled states are the first chunk's.
    """
    words = tokens_of(checkpoint)
    cut = [cut_caption(words, caption) for caption in captions]
    length = chunks or max(map(len, cut))
    columns = [[_framed(words, pieces[i] if i < len(pieces) else ()) for pieces in cut] for i in range(length)]
    hidden, pooled = [], None
    for column in columns:
        of_encoders, summary = [], None
        for model, reading in zip(checkpoint.text_encoders, READINGS[checkpoint.family], strict=True):
            states, summary = reading.states(model, [reading.padded(tokens, words.end) for tokens in column], clip_skip)
            of_encoders.append(states)  # (B, 77, C)
        hidden.append(torch.cat(of_encoders, dim=2))
        pooled = summary if pooled is None else pooled
    return TextStates(torch.cat(hidden, dim=1), pooled)


def joined(states: Sequence[TextStates], nothing: TextStates) -> TextStates:
    """States of single captions as one batch; shorter ones go on with those of `nothing`, the empty caption, (1, 77, D)."""
    longest = max(one.hidden.shape[1] for one in states)
    hidden = torch.cat([_lengthened(one.hidden, nothing.hidden, longest) for one in states])
    pooled = [one.pooled for one in states if one.pooled is not None]
    return TextStates(hidden, torch.cat(pooled) if pooled else None)


def cut_caption(words: Tokens, caption: str) -> list[tuple[int, ...]]:
    """A caption's tokens in pieces of up to 75, at least one. A full piece ends after its last comma, if that is near."""
    pieces: list[tuple[int, ...]] = []
    piece: list[int] = []
    comma: int | None = None
    for token in words.of(caption):
        if token == words.comma:
            comma = len(piece)
        elif len(piece) == CHUNK_LENGTH and comma is not None and len(piece) - comma <= COMMA_REACH:
            pieces.append(tuple(piece[: comma + 1]))
            piece, comma = piece[comma + 1 :], None
        if len(piece) == CHUNK_LENGTH:
            pieces.append(tuple(piece))
            piece, comma = [], None
        piece.append(token)
    return [*pieces, tuple(piece)] if piece or not pieces else pieces


def _framed(words: Tokens, piece: Sequence[int]) -> tuple[int, ...]:
    return (words.start, *piece, *[words.end] * (CHUNK_LENGTH - len(piece) + 1))


def _lengthened(hidden: Tensor, nothing: Tensor, length: int) -> Tensor:
    missing = (length - hidden.shape[1]) // nothing.shape[1]
    return torch.cat([hidden, *[nothing.to(hidden)] * missing], dim=1)
