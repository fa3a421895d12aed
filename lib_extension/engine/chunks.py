"""How is a text cut into the chunks of 75 tokens that a text encoder can read?"""

from __future__ import annotations

from dataclasses import dataclass, field

from lib_extension.engine.embeddings import Embedding, Embeddings
from lib_extension.engine.prompt import BREAK, parse_attention
from lib_extension.models.clip_reading import CHUNK_LENGTH, COMMA_REACH, Tokens

_EMBEDDED = 0  # the token in whose place an embedding's vector is put


@dataclass(frozen=True)
class Chunk:
    """What the encoder reads at once: 77 tokens with start and end, their weights, and which embeddings begin at which of them."""

    tokens: tuple[int, ...]
    weights: tuple[float, ...]
    embeddings: tuple[tuple[int, Embedding], ...] = ()


@dataclass(frozen=True)
class Cut:
    """A text's chunks (at least one), and how many tokens it has; those after a BREAK count from the next multiple of 75."""

    chunks: tuple[Chunk, ...]
    token_count: int


@dataclass
class _Filling:
    """A chunk being filled, after those that are complete."""

    tokens_of: Tokens
    complete: list[Chunk] = field(default_factory=list)
    token_count: int = 0
    tokens: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    embeddings: list[tuple[int, Embedding]] = field(default_factory=list)
    last_comma: int | None = None

    def add(self, token: int, weight: float) -> None:
        self.tokens.append(token)
        self.weights.append(weight)

    def make_room_for(self, token: int) -> None:
        """Completes a full chunk: after its last comma, if that is near and `token` is not a comma itself."""
        full = len(self.tokens) == CHUNK_LENGTH
        if token == self.tokens_of.comma:
            self.last_comma = len(self.tokens)
        elif full and self.last_comma is not None and len(self.tokens) - self.last_comma <= COMMA_REACH:
            self._complete_after(self.last_comma + 1)
        if len(self.tokens) == CHUNK_LENGTH:
            self.complete_chunk()

    def embed(self, embedding: Embedding, weight: float) -> None:
        if len(self.tokens) + embedding.length > CHUNK_LENGTH:
            self.complete_chunk()
        self.embeddings.append((1 + len(self.tokens), embedding))
        self.tokens += [_EMBEDDED] * embedding.length
        self.weights += [weight] * embedding.length

    def complete_chunk(self) -> None:
        self.token_count += CHUNK_LENGTH
        self._put_away()

    def finish(self) -> Cut:
        if self.tokens or not self.complete:
            self.token_count += len(self.tokens)
            self._put_away()
        return Cut(tuple(self.complete), self.token_count)

    def _complete_after(self, length: int) -> None:
        # An embedding among the tokens that move stays behind, without its place: so the WebUI does it, and so pictures are the same.
        moved_tokens, moved_weights = self.tokens[length:], self.weights[length:]
        del self.tokens[length:], self.weights[length:]
        self.complete_chunk()
        self.tokens, self.weights = moved_tokens, moved_weights

    def _put_away(self) -> None:
        self.complete.append(_chunk(self.tokens_of, self.tokens, self.weights, self.embeddings))
        self.tokens, self.weights, self.embeddings, self.last_comma = [], [], [], None


def cut(text: str, tokens_of: Tokens, embeddings: Embeddings, *, emphasis: bool = True) -> Cut:
    """Cuts a text that has no edits left in it. Without `emphasis`, brackets are words and BREAK is one."""
    filling = _Filling(tokens_of)
    for piece, weight in parse_attention(text) if emphasis else [(text, 1.0)]:
        if (piece, weight) == BREAK:
            filling.complete_chunk()
            continue
        tokens, position = tokens_of.of(piece), 0
        while position < len(tokens):
            filling.make_room_for(tokens[position])
            if found := embeddings.at(tokens, position):
                embedding, name_length = found
                filling.embed(embedding, weight)
                position += name_length
            else:
                filling.add(tokens[position], weight)
                position += 1
    return filling.finish()


def empty_chunk(tokens_of: Tokens) -> Chunk:
    return _chunk(tokens_of, [], [], [])


def _chunk(tokens_of: Tokens, tokens: list[int], weights: list[float], embeddings: list[tuple[int, Embedding]]) -> Chunk:
    missing = CHUNK_LENGTH - len(tokens)
    return Chunk(
        tokens=(tokens_of.start, *tokens, *[tokens_of.end] * (missing + 1)),
        weights=(1.0, *weights, *[1.0] * (missing + 1)),
        embeddings=tuple(embeddings),
    )
