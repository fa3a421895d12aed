"""Is a file of a backend on this machine another one than before? By size and time, for kinds of which WebUIs tell a name only."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from lib_extension.spec.inventory import FileKind

_FOLDERS: dict[FileKind, tuple[str, ...]] = {  # below a WebUI's models folder
    "vae": ("VAE", "Stable-diffusion"),
    "upscaler": ("ESRGAN", "RealESRGAN", "SwinIR", "DAT", "ScuNET", "LDSR", "HAT"),
}
_ENDINGS = (".safetensors", ".pt", ".pth", ".ckpt", ".bin")
_FRESH = 2.0  # seconds; a plan asks for many names


class LocalFiles:
    """Call it with a kind and a name as a backend lists it: the file's size and time, '' where it is not here. Safe for many threads."""

    def __init__(self, models: Path | None = None) -> None:
        """`models`: a WebUI's models folder; without one nothing is known."""
        self._models = models
        self._found: tuple[float, Mapping[tuple[FileKind, str], str]] = (float("-inf"), {})

    def __call__(self, kind: FileKind, name: str) -> str:
        """Names are compared with those of files that are there, never joined to a path."""
        if self._models is None or kind not in _FOLDERS:
            return ""
        looked, found = self._found
        if time.monotonic() - looked > _FRESH:
            found = dict(self._look(self._models))
            self._found = (time.monotonic(), found)
        return found.get((kind, name), "")

    def _look(self, models: Path) -> Iterator[tuple[tuple[FileKind, str], str]]:
        for kind, folders in _FOLDERS.items():
            for folder in folders:
                for inside, _, names in os.walk(models / folder):
                    for name in names:
                        yield from _told(kind, Path(inside, name))


def _told(kind: FileKind, file: Path) -> Iterator[tuple[tuple[FileKind, str], str]]:
    """By the file's name, and without its ending."""
    if file.suffix.lower() not in _ENDINGS:
        return
    try:
        stat = file.stat()
    except OSError:
        return
    for name in (file.name, file.stem):
        yield (kind, name), f"{stat.st_size} bytes of {stat.st_mtime_ns}"
