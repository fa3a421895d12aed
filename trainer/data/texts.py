"""How do captions become text states, once, so that the text encoders are not needed while training?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import torch

from lib_extension.models.checkpoint import Checkpoint
from trainer.data.store import Store, Tensors, key_of
from trainer.data.weights_key import weights_key
from trainer.families import FAMILIES
from trainer.families.captions import joined
from trainer.families.family import TextStates

_VERSION = "text 1"
_TOKENS = 77

Told = Callable[[int, int], None]


class TextEncoder(Protocol):
    """What makes text states. `key` names all that they depend on besides the caption."""

    @property
    def key(self) -> str: ...

    def encode(self, caption: str) -> TextStates: ...  # of one caption: (1, T, D), as long as it needs


class CaptionEncoder:
    """A checkpoint's text encoders. `chunks` is the longest a caption may be, in chunks of 75 tokens."""

    def __init__(self, checkpoint: Checkpoint, clip_skip: int = 1, chunks: int = 3) -> None:
        self._checkpoint, self._clip_skip, self._chunks = checkpoint, clip_skip, chunks
        self._key = ""

    @property
    def key(self) -> str:
        """Of the encoders' weights and of how they are read."""
        if not self._key:
            weights = weights_key(self._checkpoint.text_encoders)
            self._key = key_of(weights, self._checkpoint.family, self._clip_skip, self._chunks)
        return self._key

    @torch.no_grad()
    def encode(self, caption: str) -> TextStates:
        """(1, T, D) and (1, P), on the encoders' device."""
        states = FAMILIES[self._checkpoint.family].encode_text(self._checkpoint, [caption], self._clip_skip, 0)
        return TextStates(states.hidden[:, : self._chunks * _TOKENS], states.pooled)


def text_key(caption: str, encoder_key: str) -> str:
    """Everything that a caption's states depend on."""
    return key_of(_VERSION, caption, encoder_key)


def cache_texts(store: Store, captions: Iterable[str], encoder: TextEncoder, told: Told | None = None) -> None:
    """Encodes those that the store lacks, and the empty caption, which lengthens short ones.

    Looked at again one by one: processes that train together make some for each other meanwhile.
    """
    keys = {text_key(caption, encoder.key): caption for caption in ("", *captions)}
    missing = [key for key in keys if store.get(key) is None]
    for done, key in enumerate(missing, 1):
        if store.get(key) is None:
            states = encoder.encode(keys[key])
            tensors = {"hidden": states.hidden[0]}
            store.put(key, tensors if states.pooled is None else {**tensors, "pooled": states.pooled[0]})
        if told:
            told(done, len(missing))


def cached_texts(store: Store, captions: Sequence[str], encoder_key: str) -> TextStates:
    """The states of a batch's captions, all as long as the longest."""
    states = [_states(store.need(text_key(caption, encoder_key), f'the caption "{caption[:40]}"')) for caption in captions]
    return joined(states, _states(store.need(text_key("", encoder_key), "the empty caption")))


def _states(tensors: Tensors) -> TextStates:
    pooled = tensors.get("pooled")
    return TextStates(tensors["hidden"][None], None if pooled is None else pooled[None])
