"""Which files is the tab made of, and what version are they? The modules, and the style sheet beside them; nothing else is served."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lib_extension.spec.errors import NotFound

ROOT = Path(__file__).resolve().parents[2]

# Texts are UTF-8, which the answer says. Never asked of the system: on Windows its registry may say that JavaScript is plain text, and
# browsers refuse such modules.
_TYPES = {
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain",
    ".md": "text/plain",
    "": "text/plain",  # LICENSE
}
_LARGEST = 8 * 2**20  # bytes


@dataclass(frozen=True)
class UiFile:
    """A file of the tab."""

    data: bytes
    type: str
    as_versioned: bool  # it is what it was when the version was made, and may be cached for ever


class UiFiles:
    """The files below `root`. Their version is made once: a process serves one, until it is started again."""

    def __init__(self, root: Path = ROOT) -> None:
        self._modules = root / "javascript" / "atelier"
        self._style = root / "style.css"
        self._hashes = {name: _hash(file.read_bytes()) for name, file in sorted(self._all().items())}
        self.version = _hash("\n".join(f"{name} {hash}" for name, hash in self._hashes.items()).encode())[:12]

    def get(self, name: str) -> UiFile:
        """The file by its path below javascript/atelier, or style.css. NotFound, also for whatever leads elsewhere."""
        path = PurePosixPath(name)
        plain = str(path) == name and not path.is_absolute() and not any(part.startswith(".") for part in path.parts) and "\\" not in name
        if not plain or "\0" in name or ":" in name or path.suffix.lower() not in _TYPES:
            raise NotFound("There is no such file of the tab.")
        file = self._style if name == "style.css" else self._modules / path
        root = self._style.parent if name == "style.css" else self._modules
        try:
            if not file.resolve(strict=True).is_relative_to(root.resolve(strict=True)) or not file.is_file():
                raise NotFound("There is no such file of the tab.")
            if file.stat().st_size > _LARGEST:
                raise NotFound("There is no such file of the tab.")
            data = file.read_bytes()
        except (OSError, RuntimeError, ValueError) as error:  # too long a name, links in a circle
            raise NotFound("There is no such file of the tab.") from error
        return UiFile(data, _TYPES[path.suffix.lower()], self._hashes.get(name) == _hash(data))

    def _all(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for folder, _, names in os.walk(self._modules):
            for name in names:
                file = Path(folder, name)
                if file.suffix.lower() in _TYPES and not name.startswith(".") and file.is_file():
                    found[file.relative_to(self._modules).as_posix()] = file
        return found | ({"style.css": self._style} if self._style.is_file() else {})


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
