"""Which file does a model's name mean, and where may a new one go? Only what lies in the folders of models is read or written.

A name is compared with those of files that were found. A path, such as of a subfolder, counts where it leads into one of the folders.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from lib_extension.spec.errors import BadRequest, NotFound, near_miss
from lib_extension.spec.merging import BakeSettings, InspectSettings, Output
from lib_extension.spec.settings import Settings, declared_of

S = TypeVar("S", bound=Settings)
ModelKind = Literal["checkpoints", "loras"]
MODEL_KINDS: dict[str, ModelKind] = {"checkpoints": "checkpoints", "loras": "loras"}

TRY = "atelier-try-"  # begins the names of files that are made to be looked at, and deleted again
_BELOW: dict[ModelKind, tuple[str, ...]] = {"checkpoints": ("Stable-diffusion",), "loras": ("Lora", "LyCORIS")}
_WORDS: dict[ModelKind, str] = {"checkpoints": "checkpoint", "loras": "LoRA"}
_WEIGHTS = ".safetensors"
_PICTURES = ("png", "jpg", "jpeg", "webp")  # NAME.png or NAME.preview.png, in the order in which the WebUI looks
_TITLE = re.compile(r"(.+?) ?\[[0-9a-fA-F]{8,64}\]")
_CONFIGS = ("model_index.json", "config.json", "adapter_config.json")  # what makes a folder a model: diffusers, one network, peft
_DEMO = Path(__file__).parents[1] / "models" / "demo"


class ModelPlaces:
    """Of one models folder, laid out as the WebUI's, and further folders besides."""

    def __init__(self, models: Path, further: Mapping[str, tuple[Path, ...]] | None = None) -> None:
        """`further`: of a kind, which come first."""
        more = further or {}
        self.folders: dict[ModelKind, tuple[Path, ...]] = {
            kind: (*more.get(kind, ()), *(models / name for name in names)) for kind, names in _BELOW.items()
        }

    def file(self, kind: ModelKind, name: str) -> Path:
        """The file or folder that a name of the backend's lists, or a path, means. NotFound."""
        if kind == "checkpoints" and _without_hash(name) == "demo":
            return _DEMO
        known: dict[str, Path] = {}
        for folder in self.folders[kind]:
            for path in _models_in(folder):
                for word in _words_for(path, folder):
                    known.setdefault(word, path)
        found = known.get(_without_hash(name)) or self._at(kind, name)
        if found is None:
            raise NotFound(f'There is no {_WORDS[kind]} "{name:.120}" in the folders of models.{near_miss(_without_hash(name), known)}')
        return found

    def folder(self, kind: ModelKind, name: str) -> Path:
        """Where a new file goes: the kind's first folder, or one below it or another of its folders. BadRequest for any other place."""
        first = self.folders[kind][0].absolute()
        if any(part in ("", ".") for part in [name.strip()]):
            return first
        wanted = Path(os.path.normpath(first / name))
        if not any(_is_below(wanted, folder) for folder in self.folders[kind]):
            raise BadRequest(f'output.folder is "{name:.120}"; it must be a folder below the {_WORDS[kind]}s\' own, such as "merged".')
        return wanted

    def preview(self, kind: ModelKind, name: str) -> Path | None:
        """The picture beside a model, as the WebUI has it on its cards. NotFound for no model."""
        file = self.file(kind, name)
        beside = (_beside(file, f"{middle}.{ending}") for ending in _PICTURES for middle in ("", ".preview"))
        return next((path for path in beside if path.is_file()), None)

    def add_preview(self, kind: ModelKind, name: str, png: bytes) -> Path:
        """Put a picture beside a model, where the WebUI looks for it. BadRequest where one is there; NotFound for no model."""
        there, path = self.preview(kind, name), _beside(self.file(kind, name), ".png")
        try:
            if there is not None:
                raise FileExistsError
            with path.open("xb") as file:
                file.write(png)
        except FileExistsError as error:
            raise BadRequest(f'There is a picture beside "{name:.120}" already; it is never replaced.') from error
        except OSError as error:
            raise BadRequest(f'The picture cannot be written beside "{name:.120}": {error.strerror}.') from error
        return path

    def tried(self) -> list[Path]:
        """LoRAs that were made to be looked at."""
        folder = self.folders["loras"][0]
        return sorted(path for path in folder.glob(f"{TRY}*{_WEIGHTS}") if path.is_file()) if folder.is_dir() else []

    def _at(self, kind: ModelKind, name: str) -> Path | None:
        """What lies at a path that leads into one of the folders."""
        path = Path(name)
        if not path.is_absolute() or not any(_is_below(path, folder) for folder in self.folders[kind]):
            return None
        return path if (path.suffix.lower() == _WEIGHTS and path.is_file()) or _is_model_folder(path) else None


def located(settings: S, places: ModelPlaces) -> S:
    """The same settings with paths in place of names, and the result's folder. NotFound or BadRequest where one is none."""
    result: ModelKind = "checkpoints" if isinstance(settings, BakeSettings) else "loras"
    if isinstance(settings, InspectSettings):
        return cast("S", dataclasses.replace(settings, file=str(_of_any_kind(settings.file, places)), plot="", contents=""))
    return _located(settings, places, result)


def _located(value: Any, places: ModelPlaces, result: ModelKind) -> Any:
    if isinstance(value, Output):
        return dataclasses.replace(value, folder=str(places.folder(result, value.folder)))
    if isinstance(value, tuple):
        return tuple(_located(inner, places, result) for inner in value)
    if not isinstance(value, Settings):
        return value
    changed: dict[str, Any] = {}
    for spec in dataclasses.fields(value):  # pyright: ignore[reportArgumentType] - every Settings class is a dataclass
        inner = getattr(value, spec.name)
        kind = dict(declared_of(spec).hints).get("x-names")
        if kind in _BELOW and isinstance(inner, str):
            changed[spec.name] = str(places.file(kind, inner)) if inner else ""
        else:
            changed[spec.name] = _located(inner, places, result)
    return dataclasses.replace(value, **changed)  # pyright: ignore[reportArgumentType] - as above


def _of_any_kind(name: str, places: ModelPlaces) -> Path:
    try:
        return places.file("loras", name)
    except NotFound:
        return places.file("checkpoints", name)


def _beside(file: Path, ending: str) -> Path:
    bare = file.name[: -len(_WEIGHTS)] if file.suffix.lower() == _WEIGHTS else file.name
    return file.with_name(bare + ending)


def _without_hash(name: str) -> str:
    match = _TITLE.fullmatch(name)
    return match[1] if match else name


def _words_for(path: Path, folder: Path) -> tuple[str, ...]:
    """What a backend may call it: its path below the folder, as the WebUI's model_name, its own name; with and without the ending."""
    below = path.relative_to(folder).as_posix()
    bare = below.removesuffix(path.suffix) if path.suffix.lower() == _WEIGHTS else below
    return below, bare, bare.replace("/", "_"), path.name, bare.rpartition("/")[2]


def _models_in(folder: Path) -> Iterator[Path]:
    """At any depth; links are followed, each folder once."""
    seen: set[str] = set()
    for inside, names, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(inside)
        if real in seen:
            names.clear()
            continue
        seen.add(real)
        for name in list(names):
            if _is_model_folder(Path(inside, name)):
                names.remove(name)
                yield Path(inside, name)
        yield from (Path(inside, name) for name in files if name.lower().endswith(_WEIGHTS))


def _is_model_folder(path: Path) -> bool:
    return any((path / name).is_file() for name in _CONFIGS)


def _is_below(path: Path, folder: Path) -> bool:
    """As both really lie, links followed."""
    real, inside = os.path.realpath(path), os.path.realpath(folder)
    return real == inside or real.startswith(inside + os.sep)
