"""How is a picture made whose edges fit each other?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def tiled(networks: list[nn.Module], on: bool) -> Iterator[None]:
    """While inside, every convolution that looks beyond an edge sees the opposite edge there."""
    convolutions = [layer for network in networks for layer in network.modules() if isinstance(layer, nn.Conv2d) and on]
    for layer in convolutions:
        layer.padding_mode = "circular" if max(layer.padding) else "zeros"  # type: ignore[type-var]
    try:
        yield
    finally:
        for layer in convolutions:
            layer.padding_mode = "zeros"
