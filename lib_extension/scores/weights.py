"""Which weights do scores need in the worker? Named as it lists them, whichever file it takes for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_NETWORKS = {"consistency": "embedding/embedding", "tags": "tags/tags"}  # kind of the score → name


def weights_in(scores: Any) -> Iterator[str]:
    """Those of a list of scores in its JSON."""
    for score in scores if isinstance(scores, (list, tuple)) else ():
        name = _NETWORKS.get(str(score.get("kind"))) if isinstance(score, Mapping) else None
        if name:
            yield name
