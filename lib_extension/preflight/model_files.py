"""What are the model files that a backend's names mean, where its folders are on this machine? Read from their headers, each once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from lib_extension.formats.base_model import what_is
from lib_extension.formats.kind import Kind
from lib_extension.formats.safetensors_header import read_header
from lib_extension.spec.errors import BadFile
from lib_extension.spec.inventory import FileKind

ENDING = ".safetensors"

_PARTS = {"checkpoint": "unet", "vae": "vae", "controlnet": ""}  # of a diffusers folder, by the kind that it is used as


class ModelFiles:
    """Call it with a kind and a name, as a backend lists it: what the file is, or None. Names are compared, never joined to a path."""

    def __init__(self, folders: Mapping[FileKind, Sequence[Path]]) -> None:
        self._folders = folders
        self._kinds: dict[Path, Kind | BadFile] = {}

    def __call__(self, kind: FileKind, name: str) -> Kind | None:
        """Raises BadFile for a file that is not sound."""
        path = self._by_name.get((kind, _bare(name)))
        if path is None:
            return None
        if path not in self._kinds:
            try:
                self._kinds[path] = what_is(read_header(path))
            except BadFile as problem:
                self._kinds[path] = problem
        found = self._kinds[path]
        if isinstance(found, BadFile):
            raise found
        return found

    @cached_property
    def _by_name(self) -> dict[tuple[FileKind, str], Path]:
        found: dict[tuple[FileKind, str], Path] = {}
        for kind, folders in self._folders.items():
            for folder in folders:
                for name, path in _files(kind, folder):
                    for spelling in _spellings(name):
                        found.setdefault((kind, spelling), path)
        return found


def _files(kind: FileKind, folder: Path) -> Iterator[tuple[str, Path]]:
    """(path below the folder, file with the header) of each model; of a diffusers folder, the part that tells what it is."""
    for path in sorted(folder.rglob(f"*{ENDING}")):
        parent = path.parent
        if (parent / "config.json").is_file() and kind in _PARTS:
            model = parent.parent if _PARTS[kind] and parent.name == _PARTS[kind] else parent
            if model == parent and kind == "checkpoint":
                continue  # another part of a checkpoint's folder
            yield (model.relative_to(folder).as_posix() if model != folder else folder.name), path
        else:
            yield path.relative_to(folder).as_posix(), path


def _spellings(name: str) -> Iterator[str]:
    """A file is called by its path, by its path with folders joined by underscores, or by its own name; with its ending and without."""
    for each in (name, name.replace("/", "_"), PurePosixPath(name).name):
        yield each
        yield each.removesuffix(ENDING)


def _bare(name: str) -> str:
    """Without the hash that titles end with."""
    return name.rpartition(" [")[0] if name.endswith("]") and " [" in name else name.replace("\\", "/")
