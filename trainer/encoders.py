"""What encodes pictures and captions when a cache lacks some, and is not even loaded where none does?

What a cached result depends on is a key of the encoders' weights. It is remembered with the files' sizes and times, in the cache folder,
so that a run whose caches are full reads no encoder at all.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from lib_extension.models.checkpoint import Checkpoint
from trainer.base_model import BaseModel
from trainer.data.caches import Encoders
from trainer.data.latents import AT_ONCE, VaeEncoder
from trainer.data.texts import CaptionEncoder
from trainer.families.family import TextStates
from trainer.written import write_bytes

_KEYS = "encoder-keys.json"


class LateEncoders:
    """A base model's encoders, loaded when they are first asked, in full precision: they run once, and VAEs overflow in half of it."""

    def __init__(self, base: BaseModel, cache_folder: Path) -> None:
        self._base = replace(base, placement=replace(base.placement, dtype=torch.float32, attention="sdpa"))
        self._keys = cache_folder / _KEYS
        self._known: dict[str, str] = {}

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """With everything but the U-Net."""
        return self._base.load(leave_out=("unet",))

    def release(self) -> None:
        """Leave memory and device."""
        if "checkpoint" in self.__dict__:
            del self.checkpoint
            gc.collect()
            if self._base.placement.device.type == "cuda":
                torch.cuda.empty_cache()

    def for_caches(self) -> Encoders:
        """As the caches ask them."""
        return Encoders(_LateVae(self), _LateText(self))

    def key(self, of: str, compute: Callable[[], str]) -> str:
        """A key that is computed from weights once, and then remembered while the files are the same."""
        if of in self._known:
            return self._known[of]
        stamps = [_stamp(found.path) for found in (self._base.found, self._base.vae) if found is not None]
        name = f"{of} {' '.join(stamps)}"
        known = _read(self._keys)
        if name not in known:
            known[name] = compute()
            self._keys.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(self._keys, json.dumps(_read(self._keys) | known, indent=1).encode())
        return self._known.setdefault(of, known[name])

    @property
    def on_processor(self) -> bool:
        return self._base.placement.device.type == "cpu"

    @property
    def clip_skip(self) -> int:
        return self._base.settings.clip_skip

    @property
    def chunks(self) -> int:
        return self._base.settings.caption_chunks


@dataclass
class _LateVae:
    late: LateEncoders

    @property
    def key(self) -> str:
        return self.late.key("vae", lambda: self._vae.key)

    @property
    def at_once(self) -> int:
        return 0 if self.late.on_processor else AT_ONCE

    def encode(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, C, H/8, W/8); where memory is too small for all at once, in halves."""
        try:
            return self._vae.encode(pixels)
        except torch.OutOfMemoryError:
            if len(pixels) == 1:
                raise
        return torch.cat([self.encode(half) for half in pixels.split(-(-len(pixels) // 2))])

    @property
    def _vae(self) -> VaeEncoder:
        return VaeEncoder(self.late.checkpoint.vae)


@dataclass
class _LateText:
    late: LateEncoders

    @property
    def key(self) -> str:
        return self.late.key(f"text {self.late.clip_skip} {self.late.chunks}", lambda: self._text.key)

    def encode(self, caption: str) -> TextStates:
        """(1, T, D), (1, P)."""
        return self._text.encode(caption)

    @property
    def _text(self) -> CaptionEncoder:
        return CaptionEncoder(self.late.checkpoint, self.late.clip_skip, self.late.chunks)


def _stamp(path: Path) -> str:
    """Changes when a file, or any file of a folder, does."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    stats = [file.stat() for file in files]
    return f"{path} {sum(stat.st_size for stat in stats)} {max(stat.st_mtime_ns for stat in stats)} {len(stats)}"


def _read(file: Path) -> dict[str, str]:
    """A damaged file is no loss: the keys are computed again."""
    try:
        held = json.loads(file.read_text("utf-8"))
        return {str(name): str(key) for name, key in held.items()}
    except (OSError, ValueError, AttributeError):
        return {}
