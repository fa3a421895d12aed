"""Which Python does the embedded engine run with? This one where it has the packages for it, else that of the worker's environment.

A WebUI's own Python has none of them, or old ones.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from lib_extension.backend.client import Unreachable
from lib_extension.setup.environment import ROOT, Environment
from lib_extension.setup.installer import clean_environment

_LEAST = {"torch": (2, 4), "diffusers": (0, 41), "transformers": (5, 0)}  # with these the engine's code works
_PACKAGES = (".dist-info", ".egg-info")


@dataclass(frozen=True)
class EnginePython:
    """An interpreter that can run the engine, and what tells it from others."""

    executable: str
    version: str
    packages: tuple[str, ...]  # each with its version
    variables: dict[str, str]  # of the process's environment


def engine_python() -> EnginePython:
    """Unreachable says what to do where there is none."""
    if all(_version(package) >= least for package, least in _LEAST.items()):
        return EnginePython(sys.executable, sys.version, tuple(sorted(_own_packages())), {**os.environ, "PYTHONPATH": _with_ours()})
    environment = Environment()
    stamp = environment.read_stamp()
    if stamp is None or not environment.python.is_file():
        raise Unreachable(
            "The embedded engine needs packages of its own, and the worker's environment, which has them, is not there: "
            "make it on the page Jobs, or type: python3 install.py worker"
        )
    packages = tuple(sorted(f"{name}-{version}" for name, version in stamp.packages.items()))
    return EnginePython(str(environment.python), stamp.python, packages, {**clean_environment(), "PYTHONPATH": str(ROOT)})


def _version(package: str) -> tuple[int, ...]:
    """Its first two numbers; none where it is not there."""
    try:
        parts = str(importlib.metadata.version(package)).split(".")[:2]  # None where its folder is there and empty
        return tuple(int(part) for part in parts)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return ()


def _with_ours() -> str:
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))


def _own_packages() -> Iterator[str]:
    """Name and version of all that this Python can import."""
    for folder in filter(os.path.isdir, sys.path):
        yield from (entry.name for entry in os.scandir(folder) if entry.name.endswith(_PACKAGES))
