"""Does the subject stay the same over a set of pictures? By how alike a network's embeddings of them are."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib_extension.pictures.png import encode_base64
from lib_extension.scores.score_type import Measured, OneScore, ScoreGiven, ScoreWork, small
from lib_extension.spec.calls import Call, ModelEmbedding
from lib_extension.spec.errors import AtelierError
from lib_extension.spec.settings import field

if TYPE_CHECKING:
    from lib_extension.stages.stage import Answer

AT_ONCE = 16  # pictures in a call


@dataclass(frozen=True, kw_only=True)
class ConsistencyScore(OneScore):
    """How alike a picture is to the whole set, or to a reference: the cosine between their embeddings, 0 where it is negative.

    The set stands for itself by the mean of its embeddings, each made one long. 1 is the same subject throughout. The embeddings are of a
    CLIP, where one is in the worker's models folder, in clip_vision/; else of the demo model's tagger, which knows little.
    """

    kind: Literal["consistency"]
    reference: str = field(
        "",
        label="Reference",
        help="A stage or input whose picture the others are compared with; empty is the whole set.",
        source="picture",
    )


def measure(score: ConsistencyScore, given: ScoreGiven) -> ScoreWork:
    """Higher is better."""
    images = [picture.image for picture in given.pictures]
    if score.reference:
        images.append(given.other(score.reference).image)
    vectors, network = yield from _embeddings(images)
    if score.reference:
        vectors, middle = vectors[:-1], vectors[-1]
    else:
        middle = vectors.mean(axis=0) if len(vectors) else np.zeros(0)
    return Measured([min(max(float(cosine), 0.0), 1.0) for cosine in vectors @ _unit(middle)], network)


def _embeddings(images: Sequence[Image.Image]) -> Generator[Call, Answer, tuple[NDArray[np.float64], str]]:
    """(N, D), each one long, and whose they are."""
    found: list[Sequence[float]] = []
    networks: set[str] = set()
    for start in range(0, len(images), AT_ONCE):
        sent = tuple(encode_base64(small(image)) for image in images[start : start + AT_ONCE])
        answer = yield ModelEmbedding(images=sent)
        embeddings = answer.facts.get("embeddings", ())
        if len(embeddings) != len(sent):
            raise AtelierError(f"{len(sent)} pictures were sent for embeddings, but {len(embeddings)} came back.")
        found += embeddings
        networks.add(str(answer.facts.get("network", "")))
    if len({len(vector) for vector in found}) > 1 or len(networks) > 1:
        raise AtelierError("The embeddings of the pictures come from different networks: one was put there meanwhile. Run it again.")
    vectors = _unit(np.array(found, np.float64).reshape(len(found), -1)) if found else np.zeros((0, 0))
    return vectors, next(iter(networks), "")


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
