"""Where is kept what was computed once? A safetensors file for each key, found by its content's key, and made again when damaged.

Files are written aside and renamed, so a process that is killed leaves whole files and parts that nobody reads. Each holds a check sum:
a file that a full disk cut off or that was changed counts as missing.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
import zlib
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from lib_extension.formats.flushing import replace
from lib_extension.spec.errors import BadFile

Tensors = dict[str, Tensor]

_CHECK = "crc32"
_LONGEST_NAME = 1 << 20  # bytes of a header of ours, which has few tensors
_OLD = 3600.0  # seconds after which a part belongs to nobody


def key_of(*parts: object) -> str:
    """A key of everything that a result depends on, each part by its text."""
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()


class Store:
    """Tensors by key in a folder of their own. The last ones read stay in memory, up to `memory` bytes."""

    def __init__(self, folder: Path, memory: int = 256 * 2**20) -> None:
        self._folder = folder
        self._memory = memory
        self._held: OrderedDict[str, Tensors] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._parts = folder / "parts"
        self._parts.mkdir(parents=True, exist_ok=True)
        _remove_old(self._parts)

    def get(self, key: str) -> Tensors | None:
        """None where there is nothing, or nothing whole."""
        with self._lock:
            if (held := self._held.get(key)) is not None:
                self._held.move_to_end(key)
                return held
        try:
            data = self.file(key).read_bytes()
        except OSError:
            return None
        tensors = _whole(data)
        if tensors is not None:
            self._hold(key, tensors)
        return tensors

    def need(self, key: str, what: str) -> Tensors:
        """As `get`, of what was there before. BadFile where it is not any more."""
        tensors = self.get(key)
        if tensors is None:
            raise BadFile(f"What was cached of {what} was damaged or deleted meanwhile. Start again: it is made anew.")
        return tensors

    def put(self, key: str, tensors: Tensors) -> None:
        """OSError where it cannot be written, such as on a full disk."""
        tensors = {name: tensor.contiguous().cpu() for name, tensor in tensors.items()}
        data = save(tensors, {_CHECK: _sum(tensors)})
        part = self._parts / f"{key}.{os.getpid()}.{threading.get_ident()}"
        file = self.file(key)
        try:
            part.write_bytes(data)
            file.parent.mkdir(exist_ok=True)
            replace(part, file)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        self._hold(key, tensors)

    def file(self, key: str) -> Path:
        """Where the key's tensors lie."""
        return self._folder / key[:2] / f"{key}.safetensors"

    def _hold(self, key: str, tensors: Tensors) -> None:
        size = sum(tensor.nbytes for tensor in tensors.values())
        with self._lock:
            if key in self._held or size > self._memory:
                return
            self._held[key] = tensors
            self._bytes += size
            while self._bytes > self._memory:
                _, oldest = self._held.popitem(last=False)
                self._bytes -= sum(tensor.nbytes for tensor in oldest.values())


def _whole(data: bytes) -> Tensors | None:
    """The tensors of a file of ours, if nothing of it is missing or changed."""
    length = int.from_bytes(data[:8], "little")
    if not 2 <= length <= min(_LONGEST_NAME, len(data) - 8):
        return None
    try:
        tensors = load(data)
        told = _metadata(data[8 : 8 + length])
    except (SafetensorError, ValueError, KeyError, TypeError):
        return None
    return tensors if told == _sum(tensors) else None


def _metadata(header: bytes) -> str:
    import json

    return json.loads(header)["__metadata__"][_CHECK]


def _sum(tensors: Tensors) -> str:
    total = 0
    for name in sorted(tensors):
        total = zlib.crc32(name.encode(), total)
        total = zlib.crc32(tensors[name].flatten().view(torch.uint8).numpy().data, total)
    return f"{total:08x}"


def _remove_old(parts: Path) -> None:
    """What killed processes left."""
    for part in parts.iterdir():
        try:
            if time.time() - part.stat().st_mtime > _OLD:
                part.unlink()
        except OSError:  # another process was quicker
            pass
