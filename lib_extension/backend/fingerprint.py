"""Can an engine that is not running still be what it was when it was asked? What its answers come from, told without starting it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Iterator
from pathlib import Path

from lib_extension.backend.client import Unreachable
from lib_extension.backend.engine_python import engine_python

MODELS = Path("models")  # where the engine looks when it is told no other place, below the folder that it is started in

_CODE = Path(__file__).parents[1]
_ENGINES = ("engine", "models", "formats", "pictures", "spec")  # with the demo model, which lies among them
_NAMES = ("demo", "none")
_CHOOSE_DEVICES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "PYTORCH_ENABLE_MPS_FALLBACK")
_DEVICES = ("/dev/nvidia[0-9]*", "/dev/kfd", "/dev/dxg")  # the last is a GPU under WSL

Stamp = tuple[str, int, int]  # a file's path, size in bytes, and time of its last change in ns


def engine_fingerprint(model: str, models: Path = MODELS) -> str:
    """Another one when packages, the engine's code, the GPUs or any file of its models may have changed; no content is read.

    '' for a model of the hub, of which only the hub knows, and where no Python can run the engine. A GPU that comes or goes without its
    driver's file under /dev (on Windows) is not noticed: pictures that are there already stay good, and what is yet to be drawn asks the
    engine itself.
    """
    if model not in _NAMES and "/" in model and not Path(model).exists():
        return ""
    try:
        python = engine_python()
    except Unreachable:
        return ""
    here = models.resolve()
    folders = [_CODE / name for name in _ENGINES] + [here, here.parent / "embeddings"]
    if model not in _NAMES and Path(model).exists():
        folders.append(Path(model).resolve())
    told = [
        model,
        str(here),
        [python.executable, python.version, platform.platform(), *(os.environ.get(name, "") for name in _CHOOSE_DEVICES)],
        python.packages,
        sorted(str(path) for pattern in _DEVICES for path in Path("/").glob(pattern[1:])),
        [sorted(_stamps(folder)) for folder in folders],
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _stamps(path: Path) -> Iterator[Stamp]:
    """Of a file, or of all files in a folder and in those that it links to."""
    if path.is_file():
        yield from _stamped([path])
    seen: set[str] = set()
    for folder, inner, names in os.walk(path, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        inner[:] = [name for name in inner if name != "__pycache__"]
        yield from _stamped(Path(folder, name) for name in names)


def _stamped(files: Iterable[Path]) -> Iterator[Stamp]:
    for file in files:
        try:
            stat = file.stat()
        except OSError:  # taken away in the meantime, or a link to nothing
            continue
        yield str(file), stat.st_size, stat.st_mtime_ns
