"""Which pictures does a concept mean? Those of its folder, or of the folders such as 10_dog in it (kohya's form)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lib_extension.formats.picture_names import MASK_SUFFIX, READABLE, repeated
from lib_extension.spec.training.data import ConceptSettings, DataSettings
from trainer.data import mistakes
from trainer.data.example import Concept, Problem
from trainer.data.pictures import OTHER_ENDINGS


@dataclass(frozen=True)
class Place:
    """A folder with the pictures found in it, in order of name."""

    settings: ConceptSettings
    concept: Concept
    fallback: str  # caption of pictures without one
    pictures: tuple[Path, ...]
    others: tuple[Path, ...]  # files that are pictures of kinds that are not read

    @property
    def label(self) -> str:
        """Of the folder; no two places share one."""
        return self.concept.label

    def name_of(self, file: Path) -> str:
        """As reports and examples say it."""
        return f"{self.label}/{file.relative_to(self.concept.folder).as_posix()}"


def places_of(settings: DataSettings) -> tuple[list[Place], list[Problem]]:
    """Every place of every concept, and what is wrong with folders."""
    places: list[Place] = []
    problems: list[Problem] = []
    for concept in settings.concepts:
        folder = Path(concept.folder).expanduser()
        if not folder.is_dir():
            problems.append(mistakes.NO_FOLDER.at(folder.name or concept.folder, concept.folder[-60:]))
            continue
        found = list(_places(settings, concept, folder, {place.label for place in places}))
        if not found:
            mistake = mistakes.ONLY_SUBFOLDERS if _has_below(folder) else mistakes.NO_PICTURES
            problems.append(mistake.at(folder.name))
        places.extend(found)
    return places, problems


def _places(settings: DataSettings, concept: ConceptSettings, folder: Path, taken: set[str]) -> Iterator[Place]:
    if concept.subfolders or any(_of_kind(folder.iterdir(), READABLE)):
        yield from _place(settings, concept, folder, repeated(folder.name), taken)
        return
    for inner in sorted(folder.iterdir()):
        if inner.is_dir() and (told := repeated(inner.name)) is not None:
            for place in _place(settings, concept, inner, told, taken):
                taken.add(place.label)
                yield place


def _place(
    settings: DataSettings, concept: ConceptSettings, folder: Path, told: tuple[int, str] | None, taken: set[str]
) -> Iterator[Place]:
    """The folder as a place, if there are pictures in it."""
    files = sorted(folder.rglob("*") if concept.subfolders else folder.iterdir())
    pictures = _of_kind(files, READABLE)
    if not pictures:
        return
    repeats, words = told or (1, "")
    found = Concept(
        folder,
        _label(folder, taken),
        concept.kind,
        concept.repeats or repeats,
        concept.weight,
        concept.resolution or settings.resolution,
        concept.trigger.strip(),
        settings.captions_of(concept),
        settings.augmentation_of(concept),
    )
    others = _of_kind(files, OTHER_ENDINGS)
    yield Place(concept, found, concept.fallback or words, pictures, others)


def _of_kind(files: Iterator[Path] | list[Path], endings: tuple[str, ...]) -> tuple[Path, ...]:
    """Files with these endings, without hidden ones (macOS leaves ._a.jpg beside a.jpg) and masks."""
    return tuple(
        file
        for file in files
        if file.suffix.lower() in endings and not file.name.startswith(".") and not file.stem.endswith(MASK_SUFFIX) and file.is_file()
    )


def _label(folder: Path, taken: set[str]) -> str:
    """The folder's name, with its parent's where another has the same."""
    parts = folder.resolve().parts
    for length in range(1, len(parts)):
        if (label := "/".join(parts[-length:])) not in taken:
            return label
    return next(label for number in range(2, len(taken) + 3) if (label := f"{folder.name} {number}") not in taken)


def _has_below(folder: Path) -> bool:
    return any(file.suffix.lower() in READABLE for file in folder.rglob("*"))
