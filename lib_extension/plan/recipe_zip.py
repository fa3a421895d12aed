"""How is a recipe shared as one file? A zip with the recipe and its pictures, each under its hash; read in memory, never unpacked."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from lib_extension.plan.folders import plain_name
from lib_extension.spec.errors import BadFile, NotFound, TooLarge
from lib_extension.spec.recipe import PICTURES, Recipe
from lib_extension.spec.settings import to_json

MOST_ZIP = 256_000_000  # bytes
MOST_FILES = 10_000

_RECIPES = ("recipe.yaml", "recipe.yml", "recipe.json")
_HASHED = re.compile(r"pictures/([0-9a-f]{64})\.[a-z0-9]{1,8}")
_ENTRY = b"PK\x01\x02"  # begins each line of a zip's table of contents
_READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others' decoders give all at once, however much that is
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    KeyError,
    IndexError,
    OverflowError,
)


class Zip:
    """The files in a zip."""

    def __init__(self, data: bytes, what: str) -> None:
        self._what = what
        if data.count(_ENTRY) > MOST_FILES:
            raise TooLarge(f"{what} has more than {MOST_FILES:,} files in it, which is the most.")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self._entries = {entry.filename: entry for entry in self._zip.infolist()}
        except _BROKEN as error:
            raise BadFile(f"{what} is not a whole zip file.") from error
        for name, entry in self._entries.items():
            if not entry.is_dir():
                plain_name(name)

    def read(self, name: str, most: int) -> bytes:
        """As Files.read; a picture whose content is not what its name says is refused."""
        entry = self._entries.get(str(plain_name(name)))
        if entry is None:
            raise NotFound(f'{self._what} has no file "{name}" in it.')
        if entry.file_size > most:
            raise TooLarge(f'The file "{name}" in {self._what} has more than {most:,} bytes, which is the most.')
        if entry.flag_bits & 1 or entry.compress_type not in _READABLE or stat.S_ISLNK(entry.external_attr >> 16):
            raise BadFile(f'The file "{name}" in {self._what} is encrypted, a link, or packed in an unusual way. Pack it plainly.')
        try:
            with self._zip.open(entry) as opened:
                data = opened.read(most + 1)
        except _BROKEN as error:
            raise BadFile(f'The file "{name}" in {self._what} is damaged.') from error
        if len(data) > most:
            raise TooLarge(f'The file "{name}" in {self._what} has more than {most:,} bytes, which is the most.')
        hashed = _HASHED.fullmatch(name)
        if hashed and hashlib.sha256(data).hexdigest() != hashed[1]:
            raise BadFile(f'The file "{name}" in {self._what} is not the picture that was packed: its hash is another.')
        return data

    def __contains__(self, name: str) -> bool:
        return name in self._entries


def recipe_in(files: Zip, most: int) -> tuple[str, bytes]:
    """The name and the content of the recipe in a zip."""
    name = next((name for name in _RECIPES if name in files), _RECIPES[-1])
    return name, files.read(name, most)


def pack_recipe(recipe: Recipe, read_picture: Callable[[str], bytes]) -> bytes:
    """A zip that load_recipe_file reads: the recipe, rows included, and every picture that it names. Equal recipes make equal files."""
    packed: dict[str, bytes] = {}

    def pack(value: Any) -> Any:
        if not isinstance(value, str) or not value:
            return value
        data = read_picture(value)
        suffix = value.lower().rpartition(".")[2]
        name = f"pictures/{hashlib.sha256(data).hexdigest()}.{suffix if re.fullmatch('[a-z0-9]{1,8}', suffix) else 'png'}"
        packed[name] = data
        return name

    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        text = json.dumps(to_json(_with_pictures(recipe, pack)), indent=1, ensure_ascii=False)
        file.writestr(_entry("recipe.json", zipfile.ZIP_DEFLATED), text.encode("utf-8"))
        for name in sorted(packed):
            file.writestr(_entry(name, zipfile.ZIP_STORED), packed[name])  # pictures are packed already
    return data.getvalue()


def _entry(name: str, method: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # with the date that zips begin at, not today's
    entry.compress_type = method
    entry.external_attr = 0o644 << 16
    return entry


def _with_pictures(recipe: Recipe, change: Callable[[Any], Any]) -> Recipe:
    """The recipe with every name of a picture changed."""
    pictures = {name for name, declared in recipe.inputs.items() if declared.type in PICTURES}

    def changed(entries: Mapping[str, Any]) -> dict[str, Any]:
        return {name: change(value) if name in pictures else value for name, value in entries.items()}

    return dataclasses.replace(
        recipe,
        inputs={
            name: dataclasses.replace(declared, default=change(declared.default)) if name in pictures else declared
            for name, declared in recipe.inputs.items()
        },
        rows=tuple(changed(row) for row in recipe.rows),
        axes={name: [change(value) for value in values] if name in pictures else values for name, values in recipe.axes.items()},
    )
