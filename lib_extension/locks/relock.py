"""How are the lock files made? By `python lib_extension/locks/relock.py`, from pyproject.toml's groups; it needs uv on the PATH."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PYPROJECT = FOLDER.parents[1] / "pyproject.toml"

# Each lock holds for the Pythons of its range on every system.
PYTHONS = {"py310": ("3.10", "python_full_version < '3.11'"), "py311": ("3.11", "python_full_version >= '3.11'")}

# Environments of their own, at versions that agree with nothing else here.
HOSTS = ("host-a1111", "host-forge")

# torch names its own CUDA packages exactly, and only its CUDA builds need them: locked here, a CPU build would get them too.
CUDA = re.compile(r"^(nvidia-|cuda-|triton)")


def main() -> None:
    """Write the locks of every group for every range of Pythons."""
    for pythons in PYTHONS:
        worker = lock(pythons, "worker", leave_out=())
        # The later groups agree with the worker's versions and list only what they add.
        for group in ("tests", "controlnet-aux"):
            lock(pythons, group, leave_out=worker)
        for host in HOSTS:
            lock(pythons, host, leave_out=(), groups=frozenset({host}))


def lock(pythons: str, group: str, leave_out: tuple[str, ...], groups: frozenset[str] = frozenset({"worker"})) -> tuple[str, ...]:
    """Resolve one group, together with others, and write its lock file; gives the file's lines."""
    lines = tuple(line for line in resolve(pythons, {group, *groups}) if not CUDA.match(line) and line not in leave_out)
    header = f"# Python {pythons[2]}.{pythons[3:]}{' and later' if pythons == 'py311' else ''}. Made by relock.py; do not edit."
    (FOLDER / f"{group}-{pythons}.txt").write_text("\n".join((header, *lines, "")), encoding="utf-8", newline="\n")
    return lines


def resolve(pythons: str, groups: set[str]) -> list[str]:
    """Every package that the groups need, as pinned requirement lines."""
    python, environment = PYTHONS[pythons]
    with tempfile.TemporaryDirectory() as folder:
        # uv takes the range from a project file alone.
        project = Path(folder) / "pyproject.toml"
        text = PYPROJECT.read_text(encoding="utf-8")
        project.write_text(text.replace("[tool.uv]\n", f'[tool.uv]\nenvironments = ["{environment}"]\n'), encoding="utf-8")
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--fork-strategy", "fewest", "--no-annotate", "--no-header"]
        command += ["--python-version", python, *(f"--group={project}:{group}" for group in sorted(groups))]
        found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=folder).stdout
    return found.replace(f" ; {environment}\n", "\n").replace(f"{environment} and ", "").splitlines()


if __name__ == "__main__":
    main()
