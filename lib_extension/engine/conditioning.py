"""What do the prompts of a batch tell the U-Net at each step?"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import torch

from lib_extension.engine.chunks import CHUNK_LENGTH, Chunk, Cut, cut, empty_chunk
from lib_extension.engine.clip import Encoder
from lib_extension.engine.embeddings import Embedding, index_embeddings, load_embeddings
from lib_extension.engine.emphasis import check_mode, emphasise
from lib_extension.engine.prompt import extra_networks, schedule, split_and
from lib_extension.models.checkpoint import Checkpoint
from lib_extension.models.clip_reading import READINGS, tokens_of
from lib_extension.models.library import Found
from lib_extension.spec.errors import TooLarge

_KEPT = 16  # encoded texts; a picture needs two, a highres fix four
_COUNTED_STEPS = 20
MAX_CHARACTERS = 20_000  # about 60 chunks
MAX_CHUNKS = 128  # of one text; the U-Net looks at all of them at every step
MAX_PARTS = 64  # with AND between them; the U-Net is evaluated for each
MAX_ENCODED = 1_000  # chunks of all texts of a prompt together; each step of an edit or alternation may have a text of its own


@dataclass(frozen=True)
class Encoded:
    """What the U-Net is told at one step, for B prompts of N parts in all.

    `parts[b]` lists prompt b's parts: the row in `states`, and the weight of its guidance. A prompt without AND is one part of
    weight 1. A picture is then guided by uncond + cfg_scale * sum of weight * (cond[row] - uncond).
    """

    states: torch.Tensor  # (N, T, C), T a multiple of 77
    pooled: torch.Tensor | None  # (N, P), of SDXL only
    parts: tuple[tuple[tuple[int, float], ...], ...]


@dataclass(frozen=True)
class _Text:
    """One part of a prompt through all steps. `ends[i]` is the last step for which entry i of the tensors is meant."""

    ends: tuple[int, ...]
    states: torch.Tensor  # (len(ends), T, C)
    pooled: torch.Tensor | None  # (len(ends), P)
    embeddings: tuple[Embedding, ...]

    def entry(self, step: int) -> int:
        return next((entry for entry, end in enumerate(self.ends) if step <= end), len(self.ends) - 1)


@dataclass(frozen=True)
class Conditioning:
    """Encoded prompts; `embeddings` are the learned vectors that they name."""

    texts: tuple[_Text, ...]
    parts: tuple[tuple[tuple[int, float], ...], ...]
    embeddings: tuple[Embedding, ...]

    def at(self, step: int) -> Encoded:
        """`step` counts the U-Net's evaluations from 0, as the WebUI does: an edit at 5 changes the evaluation after six."""
        chosen = [(text, text.entry(step)) for text in self.texts]
        pooled = [text.pooled[entry] for text, entry in chosen if text.pooled is not None]
        states = _stack_as_longest([text.states[entry] for text, entry in chosen])
        return Encoded(states, torch.stack(pooled) if pooled else None, self.parts)


class TextEncoders:
    """A checkpoint's text encoders, with the textual inversion embeddings that prompts may name."""

    def __init__(self, checkpoint: Checkpoint, embeddings: Iterable[Found] = ()):
        readings = READINGS[checkpoint.family]
        self._checkpoint = checkpoint
        self._encoders = [
            Encoder(model, reading, index) for index, (model, reading) in enumerate(zip(checkpoint.text_encoders, readings, strict=True))
        ]
        self._tokens = tokens_of(checkpoint)
        self._kept: OrderedDict[Hashable, _Text] = OrderedDict()
        self.use_embeddings(embeddings)

    def use_embeddings(self, files: Iterable[Found]) -> None:
        """From now on prompts may name these, and no others. Those for other architectures are left out."""
        widths = [encoder.model.config.hidden_size for encoder in self._encoders]
        self._embeddings = index_embeddings(load_embeddings(files, widths), self._tokens.of)
        self._kept.clear()

    def encode(
        self,
        prompts: Sequence[str],
        steps: int,
        clip_skip: int = 1,
        emphasis: str = "Original",
        *,
        negative: bool = False,
        base_steps: int | None = None,
        loras: Hashable = (),
    ) -> Conditioning:
        """Encodes prompts that hold no `<lora:...>` any more.

        `steps` is the number of U-Net evaluations of this pass: for samplers that evaluate twice a step, twice the steps.
        `base_steps`, that of the first pass, is given for a highres fix's second pass. In `negative` prompts AND is a word,
        and of SDXL an empty one is all zeros. `loras` is whatever else decides the encoders' weights: equal values, equal results.
        Positive and negative may differ in length; the WebUI then evaluates the U-Net for each alone.
        Raises BadRequest for a CLIP skip or emphasis that cannot be, TooLarge for a prompt that is too long.
        """
        check_mode(emphasis)
        for prompt in prompts:
            _check_length(prompt)
        for encoder in self._encoders:
            encoder.check_clip_skip(clip_skip)
        weighted = [[(prompt, 1.0)] if negative else split_and(prompt) for prompt in prompts]
        for parts in weighted:
            if len(parts) > MAX_PARTS:
                raise TooLarge(f"The prompt has {len(parts)} parts with AND between them; up to {MAX_PARTS} can be read. Join some.")
        rows = [part for parts in weighted for part, _ in parts]
        texts = {
            text: self._text(_Wanted(schedule(text, steps, base_steps), clip_skip, emphasis, negative), loras)
            for text in dict.fromkeys(rows)
        }
        numbers = iter(range(len(rows)))
        return Conditioning(
            texts=tuple(texts[text] for text in rows),
            parts=tuple(tuple((next(numbers), weight) for _, weight in parts) for parts in weighted),
            embeddings=tuple(dict.fromkeys(embedding for text in texts.values() for embedding in text.embeddings)),
        )

    def token_count(self, prompt: str, *, emphasis: bool = True) -> tuple[int, int]:
        """The tokens of the longest text in a prompt, and how many would fit in its chunks."""
        prompt, _ = extra_networks(prompt)
        _check_length(prompt)
        texts = {text for part, _ in split_and(prompt) for _, text in schedule(part, _COUNTED_STEPS)}
        longest = max(self._cut(text, emphasis).token_count for text in texts)
        return longest, max(1, -(-longest // CHUNK_LENGTH)) * CHUNK_LENGTH

    def _cut(self, text: str, emphasis: bool) -> Cut:
        return cut(text, self._tokens, self._embeddings, emphasis=emphasis)

    def _text(self, wanted: _Wanted, loras: Hashable) -> _Text:
        key = (wanted, loras)
        if key not in self._kept:
            self._kept[key] = self._encode(wanted)
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    def _encode(self, wanted: _Wanted) -> _Text:
        """Encodes each different text of a schedule once."""
        counts = Counter(text for _, text in wanted.schedule)
        cuts = [self._cut(text, wanted.emphasis != "None").chunks for text in counts]
        _check_chunks([len(chunks) for chunks in cuts])
        empty = empty_chunk(self._tokens)
        columns = [[chunks[i] if i < len(chunks) else empty for chunks in cuts] for i in range(max(map(len, cuts)))]
        times = torch.tensor(list(counts.values()), device=self._checkpoint.device, dtype=torch.float32)
        encoded = [self._encode_column(column, times, wanted) for column in columns]
        states = torch.cat([states for states, _ in encoded], dim=1)  # (texts, T, C)
        pooled = encoded[0][1]  # the later chunks' are not used
        if wanted.negative and self._checkpoint.family == "sdxl" and set(counts) == {""}:
            states, pooled = torch.zeros_like(states), None if pooled is None else torch.zeros_like(pooled)
        number = {text: row for row, text in enumerate(counts)}
        rows = [number[text] for _, text in wanted.schedule]
        return _Text(
            ends=tuple(end for end, _ in wanted.schedule),
            states=states[rows],
            pooled=None if pooled is None else pooled[rows],
            embeddings=tuple(embedding for chunks in cuts for chunk in chunks for _, embedding in chunk.embeddings),
        )

    def _encode_column(self, column: Sequence[Chunk], times: torch.Tensor, wanted: _Wanted) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The i-th chunks of all texts: states (texts, 77, C) of the encoders side by side, and pooled states of the last one."""
        weights = torch.tensor([chunk.weights for chunk in column], device=self._checkpoint.device)
        states, pooled = [], None
        for encoder in self._encoders:
            said, pooled = encoder.read(column, self._tokens.end, wanted.clip_skip)
            states.append(emphasise(said, weights, times, wanted.emphasis))
        dtype = self._checkpoint.dtype
        return torch.cat(states, dim=2).to(dtype), None if pooled is None else pooled.to(dtype)


@dataclass(frozen=True)
class _Wanted:
    """What an encoded text depends on, besides the encoders' weights."""

    schedule: tuple[tuple[int, str], ...]
    clip_skip: int
    emphasis: str
    negative: bool


def _check_length(prompt: str) -> None:
    if len(prompt) > MAX_CHARACTERS:
        raise TooLarge(f"The prompt has {len(prompt)} characters; up to {MAX_CHARACTERS} can be read. Shorten it.")


def _check_chunks(counts: Sequence[int]) -> None:
    if max(counts) > MAX_CHUNKS:
        raise TooLarge(f"The prompt has {max(counts)} chunks of {CHUNK_LENGTH} tokens; up to {MAX_CHUNKS} can be read. Shorten it.")
    if sum(counts) > MAX_ENCODED:
        raise TooLarge(
            f"The prompt means {len(counts)} texts at different steps, {sum(counts)} chunks of {CHUNK_LENGTH} tokens; up to {MAX_ENCODED} "
            "can be read. Shorten it, or write fewer alternatives."
        )


def _stack_as_longest(states: list[torch.Tensor]) -> torch.Tensor:
    """Stacks (T, C) tensors; shorter ones go on with their last vector, as in the WebUI."""
    longest = max(len(of_text) for of_text in states)
    return torch.stack([torch.cat([of_text, of_text[-1:].expand(longest - len(of_text), -1)]) for of_text in states])
