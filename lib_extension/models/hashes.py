"""Which hash does a model file have? SHA-256, remembered while the file's size and time stay, and the WebUI's old short hash."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from lib_extension.spec.errors import BadFile

_PIECE = 1 << 20
_OLD_HASH_AT, _OLD_HASH_BYTES = 0x100000, 0x10000


class Hashes:
    """SHA-256 of files and folders. ``remembered_in`` is a JSON file that outlives the process; without one, nothing is written."""

    def __init__(self, remembered_in: Path | None = None) -> None:
        self._file = remembered_in
        self._lock = Lock()
        self._known: dict[str, tuple[int, int, str]] = _read(remembered_in) if remembered_in else {}  # path: (size, time in ns, hash)

    def known(self, path: Path) -> str | None:
        """The hash, if it is known and the file (or any file of the folder) has not changed since; reads no content."""
        size, changed = stamp(path)
        held = self._known.get(str(path.resolve()))
        return held[2] if held and held[:2] == (size, changed) else None

    def sha256(self, path: Path) -> str:
        """Of a file's content; of a diffusers folder: of its weight files' relative paths and contents, in order of path."""
        known = self.known(path)
        if known is not None:
            return known
        before = stamp(path)
        digest = _of_folder(path) if path.is_dir() else _of_file(path)
        self.remember(path, before, digest)
        return digest

    def remember(self, path: Path, before: tuple[int, int], digest: str) -> None:
        """What was computed of a file whose `stamp` was this before."""
        with self._lock:
            self._known[str(path.resolve())] = (*before, digest)
            if self._file:
                _write(self._file, self._known)


def hash_file() -> Path | None:
    """Where hashes of models outlive the process; nowhere when the user's cache folder cannot be written."""
    base = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "atelier"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder / "hashes.json" if os.access(folder, os.W_OK) else None


def old_hash(path: Path) -> str:
    """Eight digits over 64 KiB at 1 MiB, by which sd-webui-controlnet names its models. Files shorter than 1 MiB share one."""
    if path.is_dir():
        path = weight_files(path)[0]
    with path.open("rb") as file:
        file.seek(_OLD_HASH_AT)
        return hashlib.sha256(file.read(_OLD_HASH_BYTES)).hexdigest()[:8]


def network_hash(path: Path) -> str:
    """SHA-256 over a safetensors file's tensors without its header, as "Lora hashes" in infotexts (which show 12 digits)."""
    with path.open("rb") as file:
        file.seek(int.from_bytes(file.read(8), "little") + 8)
        return _of_open(file)


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a diffusers folder, in order of path."""
    files = sorted(folder.rglob("*.safetensors"), key=lambda path: path.relative_to(folder).as_posix())
    if not files:
        raise BadFile(f'The model folder "{folder.name}" holds no .safetensors file. Save its weights as safetensors.')
    return files


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        return _of_open(file)


def _of_open(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


def _of_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in weight_files(folder):
        digest.update(f"{file.relative_to(folder).as_posix()}\n{_of_file(file)}\n".encode())
    return digest.hexdigest()


def stamp(path: Path) -> tuple[int, int]:
    """Size and last change, in nanoseconds, of a file or of all weight files of a folder together."""
    stats = [file.stat() for file in (weight_files(path) if path.is_dir() else [path])]
    return sum(stat.st_size for stat in stats), max(stat.st_mtime_ns for stat in stats)


def _read(file: Path) -> dict[str, tuple[int, int, str]]:
    """An unreadable or damaged file is no loss: the hashes are computed again."""
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        return {str(path): (int(size), int(changed), str(digest)) for path, (size, changed, digest) in held.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write(file: Path, known: dict[str, tuple[int, int, str]]) -> None:
    """Aside and renamed, so that a reader never meets half a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(f".{os.getpid()}")
    aside.write_text(json.dumps(known, indent=1), encoding="utf-8")
    aside.replace(file)
