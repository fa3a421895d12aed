"""Which words of a prompt stand for learned vectors (textual inversion), and what are the vectors?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from safetensors import SafetensorError, safe_open

from lib_extension.models.library import Found
from lib_extension.spec.errors import BadFile

_LOG = logging.getLogger(__name__)
_SDXL_TENSORS = ("clip_l", "clip_g")  # in the order of SDXL's text encoders
MAX_VECTORS = 75  # they must fit between the start and the end of one chunk


@dataclass(frozen=True, eq=False)
class Embedding:
    """The vectors that take the place of a word: for each text encoder a tensor (vectors, width)."""

    name: str
    sha256: str
    vectors: tuple[torch.Tensor, ...]

    @property
    def length(self) -> int:
        return len(self.vectors[0])


@dataclass(frozen=True)
class Embeddings:
    """The known embeddings by the first token of their names, those with the longest names first."""

    by_first_token: dict[int, tuple[tuple[list[int], Embedding], ...]]

    def at(self, tokens: Sequence[int], position: int) -> tuple[Embedding, int] | None:
        """The embedding whose name stands at `position`, and how many tokens the name has."""
        for name, embedding in self.by_first_token.get(tokens[position], ()):
            if tokens[position : position + len(name)] == name:
                return embedding, len(name)
        return None


def index_embeddings(embeddings: Iterable[Embedding], tokenize: Callable[[str], list[int]]) -> Embeddings:
    by_first_token: dict[int, list[tuple[list[int], Embedding]]] = {}
    for embedding in embeddings:
        if name := tokenize(embedding.name):
            by_first_token.setdefault(name[0], []).append((name, embedding))
    longest_first = {first: tuple(sorted(names, key=lambda known: -len(known[0]))) for first, names in by_first_token.items()}
    return Embeddings(longest_first)


def load_embeddings(files: Iterable[Found], widths: Sequence[int]) -> list[Embedding]:
    """The embeddings that fit text encoders of these widths. A broken file is reported in the log and left out, as others are usable."""
    loaded = []
    for file in files:
        try:
            embedding = load_embedding(file, widths)
        except BadFile as e:
            _LOG.warning("%s", e)
            continue
        if embedding is not None:
            loaded.append(embedding)
    return loaded


def load_embedding(file: Found, widths: Sequence[int]) -> Embedding | None:
    """None if it was made for text encoders of other widths. Raises BadFile."""
    name = file.path.stem
    if file.path.suffix.lower() != ".safetensors":
        raise BadFile(f'The embedding "{name}" is not a .safetensors file. Other formats can run code; convert it first.')
    try:
        with safe_open(file.path, framework="pt") as tensors:
            keys = list(tensors.keys())
            wanted = _SDXL_TENSORS if set(_SDXL_TENSORS) <= set(keys) else tuple(keys)
            shapes = [tuple(tensors.get_slice(key).get_shape()) for key in wanted]
            if len(wanted) > len(_SDXL_TENSORS) or (len(wanted) == 2 and wanted != _SDXL_TENSORS) or not wanted:
                raise BadFile(
                    f'The embedding "{name}" holds the tensors {", ".join(sorted(keys)[:5])}; one, or clip_l and clip_g, can be used.'
                )
            if tuple(shape[-1] for shape in shapes if shape) != tuple(widths):
                return None
            vectors = tuple(torch.atleast_2d(tensors.get_tensor(key)).float() for key in wanted)
    except (SafetensorError, OSError) as e:
        raise BadFile(f'The embedding "{name}" cannot be read: {e}') from e
    if any(tensor.ndim != 2 or not 1 <= len(tensor) <= MAX_VECTORS or len(tensor) != len(vectors[0]) for tensor in vectors):
        raise BadFile(f'The embedding "{name}" has tensors of shapes {shapes}; 1 to {MAX_VECTORS} vectors can be used.')
    return Embedding(name, file.sha256, vectors)
