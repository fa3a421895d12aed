"""How does the worker's environment stand: is it there, how large is it, and what would making it take? Nothing is started to find out."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_extension.setup.environment import CONTROLNET_AUX, TORCH_INDEX, WORKER, Environment
from lib_extension.spec.errors import BadRequest

GROUPS = (WORKER, CONTROLNET_AUX)
_CUDA = 5500  # megabytes that torch's CUDA libraries take besides
_BUILD = re.compile(r"cpu|xpu|cu\d{2,3}|rocm\d+(\.\d+){0,2}")
_SITE = "https://download.pytorch.org/whl/"
_SHOWN = ("torch", "diffusers", "transformers", "peft", "accelerate", "bitsandbytes", "onnxruntime")


@dataclass(frozen=True)
class Standing:
    """Of one environment. Sizes in bytes."""

    state: Literal["none", "half made", "outdated", "ready"]
    python: str  # such as "3.11"; '' where there is none
    packages: dict[str, str]  # the well-known ones
    torch: str  # the build of torch's own site that was asked for; '' for the usual one
    has_index: bool  # the usual one comes from an index that the settings name
    size: int
    needed: int  # to make it anew, downloads included, at the least
    free: int  # where it lies, or would
    in_use: bool  # by this very process, which cannot change what it runs in


def standing(environment: Environment) -> Standing:
    """As its stamp and its folder say. Takes about a second for a full one, whose files are all looked at."""
    stamp = environment.read_stamp()
    index = stamp.torch_index if stamp else ""
    return Standing(
        state=_state(environment),
        python=stamp.python if stamp else "",
        packages={name: stamp.packages[name] for name in _SHOWN if stamp and name in stamp.packages},
        torch=_build_of(index),
        has_index=bool(index_of("")),
        size=_size(environment.folder),
        needed=needed(index),
        free=shutil.disk_usage(_nearest(environment.folder)).free,
        in_use=is_in_use(environment),
    )


def needed(torch_index: str) -> int:
    """Bytes that making it takes on the disk, at the least."""
    build = torch_index.rstrip("/").rpartition("/")[2]
    usual_is_cuda = sys.platform == "linux" and platform.machine() == "x86_64"
    has_cuda = build.startswith(("cu", "rocm")) or (not build and usual_is_cuda)
    return (sum(group.megabytes for group in GROUPS) + (_CUDA if has_cuda else 0)) * 10**6


def is_in_use(environment: Environment) -> bool:
    """Whether this process runs in it."""
    return Path(sys.prefix).resolve() == environment.folder.resolve()


def index_of(build: str) -> str:
    """The index of torch's own site that has a build. A page can name no other: what an index offers is run.

    Without a build, the one that the settings name, or '' for the usual one.
    """
    if not build:
        return os.environ.get(TORCH_INDEX, "")
    if not _BUILD.fullmatch(build):
        raise BadRequest(f'torch is "{build:.40}"; it must be cpu, xpu, or a CUDA or ROCm such as cu128 or rocm6.4.')
    return f"{_SITE}{build}"


def _build_of(index: str) -> str:
    """The build that an index is of; '' for one that is not torch's own site."""
    build = index.removeprefix(_SITE).rstrip("/") if index.startswith(_SITE) else ""
    return build if _BUILD.fullmatch(build) else ""


def _state(environment: Environment) -> Literal["none", "half made", "outdated", "ready"]:
    if not environment.folder.exists():
        return "none"
    stamp = environment.read_stamp()
    if stamp is None:
        return "half made"
    locks = {group.name: hashlib.sha256(environment.lock(group).read_bytes()).hexdigest() for group in GROUPS}
    return "ready" if all(stamp.locks.get(name) == lock for name, lock in locks.items()) else "outdated"


def _size(folder: Path) -> int:
    total = 0
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:  # gone meanwhile, or never there
            continue
    return total


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())
