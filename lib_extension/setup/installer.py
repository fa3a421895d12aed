"""How do packages get into an environment? Through uv where it is on the PATH, else venv and pip; failures become one message."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib_extension.spec.errors import AtelierError


class InstallError(AtelierError):
    """The environment could not be made; the message says what to do."""


# Read from the output of pip and uv, first match first: a full disk also breaks downloads.
_CAUSES = (
    (
        r"No space left on device|not enough space on the disk|os error (28|112)\b",
        "The disk is full: free some space, then run the same command again.",
    ),
    (
        r"Failed to establish a new connection|NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError"
        r"|Connection (refused|reset)|Network is unreachable|name resolution|getaddrinfo failed|dns error|error sending request"
        r"|[Tt]imed out|SSLError|tunnel error",
        "The package index cannot be reached: check the network (or the proxy, or pip's index settings), then run the same command again.",
    ),
    (
        r"Permission denied|Access is denied|os error 13\b",
        "Files could not be written: stop the engine and any training, and check who owns the folder.",
    ),
)
_NO_BUILD = re.compile(r"No matching distribution found for (\S+)|there (?:is|are) no versions? of (\S+)|(\S+) has no wheels")
_ELSEWHERE = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "VIRTUAL_ENV")


def clean_environment() -> dict[str, str]:
    """The environment variables without those that would let another Python's packages in, or send packages elsewhere."""
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return {**kept, "PYTHONNOUSERSITE": "1"}


@dataclass(frozen=True)
class Installer:
    """Fills the environment in ``folder``, whose interpreter is or will be ``python``."""

    folder: Path
    python: Path
    say: Callable[[str], None]
    uv: str | None  # uv's path, if it is to be used
    detail: Callable[[str], None] | None = None  # gets each line that a tool prints

    @classmethod
    def find(cls, folder: Path, python: Path, say: Callable[[str], None], detail: Callable[[str], None] | None = None) -> Installer:
        """The installer that this machine has."""
        return cls(folder, python, say, shutil.which("uv"), detail)

    def make_environment(self) -> None:
        """Make an empty virtual environment for the Python that runs this."""
        # Not sys.executable: that may be the interpreter of the very environment that is being made anew.
        base = getattr(sys, "_base_executable", None) or sys.executable
        self.say(f"Making the environment {self.folder} with {'uv' if self.uv else 'venv and pip'}")
        if self.uv:
            self._run([self.uv, "venv", "--quiet", "--python", base, str(self.folder)])
            return
        if not (importlib.util.find_spec("ensurepip") or importlib.util.find_spec("pip")):
            raise InstallError("This Python has neither pip nor ensurepip. Install them first (Debian, Ubuntu: apt install python3-venv).")
        self._run([base, "-m", "venv", "--without-pip", str(self.folder)])
        if importlib.util.find_spec("ensurepip"):
            # Here and not by venv, which would keep to itself why it failed.
            self._run([str(self.python), "-m", "ensurepip", "--default-pip"])
        else:
            # Debian keeps ensurepip in a package of its own; the pip that is there can bring one that stays inside.
            command = [str(self.python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
            inside = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
            self._run([base, "-m", "pip", "install", "--quiet", "--target", inside, "pip"])

    def install_torch(self, lock: Path, index: str) -> None:
        """Install the locked torch from ``index``; what it depends on comes with the lock."""
        (torch,) = (line for line in lock.read_text(encoding="utf-8").splitlines() if line.startswith("torch=="))
        self.say(f"Installing {torch} from {index}")
        self._run([*self._install_command(), "--index-url", index, "--no-deps", torch])

    def install(self, name: str, lock: Path, target: Path | None) -> None:
        """Install every package of a lock, into ``target`` if given."""
        self.say(f"Installing the {name} packages from {lock.name} (the first time this takes minutes)")
        # A folder apart holds only what its lock names: what it shares with the environment must not be there twice.
        where = ["--no-deps", "--target", str(target)] if target else []
        if target:
            shutil.rmtree(target, ignore_errors=True)
        self._run([*self._install_command(), *where, "-r", str(lock)])

    def _install_command(self) -> list[str]:
        if self.uv:
            return [self.uv, "pip", "install", "--python", str(self.python), *_pip_sources()]
        return [str(self.python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--retries", "3"]

    def _run(self, command: list[str]) -> None:
        """Run a tool and show the line that it is at; raise InstallError with the cause when it fails."""
        tail: deque[str] = deque(maxlen=400)
        live = sys.stdout.isatty() and self.detail is None
        try:
            with subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                env=clean_environment(),
            ) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    tail.append(line.rstrip())
                    if self.detail and line.strip():
                        self.detail(line.rstrip())
                    if live:
                        sys.stdout.write(f"\r  {line.strip()[:100]:100}")
        except OSError as error:
            raise InstallError(f"Cannot start {Path(command[0]).name}: {error.strerror}.") from error
        finally:
            if live:
                sys.stdout.write(f"\r{'':102}\r")
        if process.returncode:
            raise InstallError(explain("\n".join(tail)))


def explain(output: str) -> str:
    """One message for the user out of what pip, uv or venv printed before it failed."""
    for pattern, message in _CAUSES:
        if re.search(pattern, output):
            return message
    missing = _NO_BUILD.search(output)
    if missing:
        system = f"Python {sys.version_info[0]}.{sys.version_info[1]} on {sys.platform}"
        return f"The package index has no {next(filter(None, missing.groups()))} for {system}: try another Python from 3.10 to 3.13."
    errors = [line.strip() for line in output.splitlines() if "error" in line.lower()] or output.strip().splitlines() or ["no output"]
    return f"Installing failed: {errors[-1]}"


def _pip_sources() -> list[str]:
    """Where pip is set up to look, as options for uv, which does not read pip's settings but may be the newcomer on a machine."""
    if any(name.startswith(("UV_INDEX", "UV_DEFAULT_INDEX", "UV_FIND_LINKS")) for name in os.environ):
        return []
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False).stdout
    options = {"index-url": "--index-url", "extra-index-url": "--extra-index-url", "find-links": "--find-links"}
    found = re.findall(r"\.(index-url|extra-index-url|find-links)='([^'\n]*)'", listed)
    pairs = dict.fromkeys((options[name], value) for name, values in found for value in values.replace("\\n", " ").split())
    # Of several indexes uv takes the first that has a package, in whatever version; pip, for which they were set up, looks into all.
    strategy = ["--index-strategy", "unsafe-best-match"] if any(option == "--extra-index-url" for option, _ in pairs) else []
    return [*(part for pair in pairs for part in pair), *strategy]
