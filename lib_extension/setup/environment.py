"""Is the worker's environment there, and as its locks say? Makes it, completes it, makes it anew when it is broken, removes it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lib_extension.formats.flushing import replace
from lib_extension.setup.installer import Installer, InstallError, clean_environment

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = "ATELIER_WORKER"  # names a folder for the environment, such as one on a larger disk
TORCH_INDEX = "ATELIER_TORCH_INDEX"  # names the index that torch comes from where no build is chosen, such as a mirror


@dataclass(frozen=True)
class Group:
    """Packages that are installed together: a group of pyproject.toml, with its lock files."""

    name: str
    megabytes: int  # on the disk at the least, downloads included
    apart: bool = False  # in a folder of their own, which a process must put on its path to see


WORKER = Group("worker", 2500)
TESTS = Group("tests", 500)
CONTROLNET_AUX = Group("controlnet-aux", 500, apart=True)
HOSTS = (Group("host-a1111", 600), Group("host-forge", 600))  # WebUIs' packages, for tests: each an environment of its own

# Prints what the stamp must agree with; runs in the environment's own Python, which proves that it starts.
_INSPECT = """
import importlib.metadata, json, sys
found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions() if d.metadata["Name"]}
print(json.dumps({"python": "%d.%d" % sys.version_info[:2], "packages": found}))
"""


@dataclass(frozen=True)
class Stamp:
    """What was installed, written down when it was complete."""

    python: str = f"{sys.version_info[0]}.{sys.version_info[1]}"
    torch_index: str = ""  # where torch came from, if not from the usual index
    locks: dict[str, str] = field(default_factory=dict)  # group name -> hash of its lock
    packages: dict[str, str] = field(default_factory=dict)  # name -> version, of those that every process sees


@dataclass(frozen=True)
class Environment:
    """The virtual environment in ``folder``; ``say`` gets a line for each step, ``detail`` each line that pip or uv prints."""

    folder: Path = field(default_factory=lambda: Path(os.environ.get(ELSEWHERE) or ROOT / ".venv").absolute())
    locks: Path = ROOT / "lib_extension" / "locks"
    say: Callable[[str], None] = print
    detail: Callable[[str], None] | None = None

    @property
    def python(self) -> Path:
        """The environment's interpreter, whether or not it is there."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def apart(self, group: Group) -> Path:
        """The folder of a group that is kept apart."""
        return self.folder / group.name

    def lock(self, group: Group) -> Path:
        """The lock file of ``group`` for the Python that runs this."""
        return self.locks / f"{group.name}-{'py310' if sys.version_info < (3, 11) else 'py311'}.txt"

    def ensure(self, *groups: Group, torch_index: str = "") -> None:
        """Install what is missing of ``groups``; a no-op when all is there. Raises InstallError with a message for the user."""
        stamp = self._checked(torch_index)
        wanted = {group.name: hashlib.sha256(self.lock(group).read_bytes()).hexdigest() for group in groups}
        missing = [group for group in groups if stamp is None or stamp.locks.get(group.name) != wanted[group.name]]
        if not missing:
            return
        self._check_space(missing)
        installer = Installer.find(self.folder, self.python, self.say, self.detail)
        if stamp is None:
            installer.make_environment()
            stamp = Stamp(torch_index=torch_index)
        # Without its stamp a folder counts as half made, should this be cut off.
        self._stamp_file.unlink(missing_ok=True)
        for group in missing:
            if group == WORKER and stamp.torch_index:
                installer.install_torch(self.lock(group), stamp.torch_index)
            installer.install(group.name, self.lock(group), target=self.apart(group) if group.apart else None)
        self._write_stamp(Stamp(stamp.python, stamp.torch_index, {**stamp.locks, **wanted}, self._inspect()["packages"]))

    def remove(self) -> None:
        """Delete the environment."""
        if self.folder.is_symlink() or self.folder.is_file():
            self.folder.unlink()
        elif self.folder.exists():
            try:
                # First its name, in one step: a process that starts now finds all of it or none.
                doomed = self.folder.with_name(f"{self.folder.name}-removed-{os.getpid()}")
                replace(self.folder, doomed)
                shutil.rmtree(doomed, onerror=_delete_read_only)
            except OSError as error:
                raise InstallError(
                    f"Cannot delete {self.folder}: {error.strerror}. Stop the engine and any training, then try again."
                ) from error

    def installed_torch_index(self) -> str:
        """Where the environment's torch came from; empty for the usual index."""
        stamp = self.read_stamp()
        return stamp.torch_index if stamp else ""

    @property
    def _stamp_file(self) -> Path:
        return self.folder / "atelier.json"

    def _checked(self, torch_index: str) -> Stamp | None:
        """The stamp of a sound environment; None when there is none, or a broken one was removed."""
        if not self.folder.exists() and not self.folder.is_symlink():
            return None
        stamp = self.read_stamp()
        wrong = self._what_is_wrong(stamp, torch_index)
        if not wrong:
            return stamp
        self.say(f"{self.folder.name} {wrong}: it is made anew")
        self.remove()
        return None

    def _what_is_wrong(self, stamp: Stamp | None, torch_index: str) -> str:
        if stamp is None:
            return "is only half made"
        if stamp.python != Stamp.python:
            return f"was made for Python {stamp.python}, and this is {Stamp.python}"
        if torch_index and torch_index != stamp.torch_index:
            return "has its torch from another index"
        try:
            packages = self._inspect()["packages"]
        except (OSError, ValueError, subprocess.SubprocessError):
            return "does not start"
        changed = [name for name, version in stamp.packages.items() if packages.get(name) != version]
        return f"no longer has the packages that were installed ({', '.join(changed[:3])})" if changed else ""

    def _inspect(self) -> dict[str, dict[str, str]]:
        command = [str(self.python), "-c", _INSPECT]
        found = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8", env=clean_environment(), timeout=120)
        return json.loads(found.stdout)

    def read_stamp(self) -> Stamp | None:
        """What was installed; None where that was never completed."""
        try:
            return Stamp(**json.loads(self._stamp_file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _write_stamp(self, stamp: Stamp) -> None:
        aside = self._stamp_file.with_suffix(".tmp")
        aside.write_text(json.dumps(vars(stamp), indent=1), encoding="utf-8")
        replace(aside, self._stamp_file)

    def _check_space(self, groups: list[Group]) -> None:
        needed = sum(group.megabytes for group in groups)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder.parent).free // 2**20
        if free < needed:
            raise InstallError(f"Not enough disk space: about {needed:,} MB are needed in {self.folder.parent}, and {free:,} MB are free.")


def _delete_read_only(function: Callable[[str], object], path: str, _: object) -> None:
    """Windows does not delete a file that is marked read-only."""
    Path(path).chmod(stat.S_IWRITE | stat.S_IREAD | stat.S_IEXEC)
    function(path)
