"""Which captions do the files beside pictures give them, in whatever encoding they were saved?"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lib_extension.captions.decoding import decoded
from trainer.data import mistakes
from trainer.data.example import Problem
from trainer.data.folders import Place

METADATA = "metadata.jsonl"
_TEXT_KEYS = ("text", "caption", "prompt")


def captions_of(place: Place) -> tuple[dict[Path, str], list[Problem]]:
    """The caption of every picture that has one, and what is wrong. A file beside the picture counts before a common one."""
    common, problems = _common_file(place)
    captions: dict[Path, str] = {}
    beside = _names_below(place)
    for file in place.pictures:
        found = [Path(beside[would]) for ending in place.settings.extensions if (would := _beside(file, ending)) in beside]
        text, wrong = _read_beside(place, file, found) if found else (common.get(file), [])
        problems += wrong
        if text is not None:
            captions[file] = text
    return captions, problems + list(_lonely(place, beside))


def _read_beside(place: Place, file: Path, found: Sequence[Path]) -> tuple[str | None, list[Problem]]:
    """The first file's caption."""
    name = place.name_of(file)
    try:
        texts = [decoded(caption.read_bytes()) for caption in found]
    except OSError as error:
        return None, [mistakes.NOT_TEXT.at(name, error.strerror or "")]
    first = texts[0]
    if first.text is None:
        return None, [mistakes.NOT_TEXT.at(name)]
    problems = [] if first.is_unicode else [mistakes.NOT_UTF8.at(name, first.text[:60])]
    if any(other.text != first.text for other in texts):
        problems.append(mistakes.TWO_CAPTIONS.at(name))
    if not first.text:
        problems.append(mistakes.EMPTY_CAPTION.at(name))
    return first.text, problems


def _common_file(place: Place) -> tuple[dict[Path, str], list[Problem]]:
    """Captions of the concept's file of captions, or of its folder's metadata.jsonl."""
    folder = place.concept.folder
    named = Path(place.settings.metadata).expanduser() if place.settings.metadata else None
    file = named or folder / METADATA
    if named is None and not file.is_file():
        return {}, []
    try:
        text = decoded(file.read_bytes()).text
    except OSError as error:
        return {}, [mistakes.BAD_METADATA.at(file.name, error.strerror or "")]
    if text is None:
        return {}, [mistakes.BAD_METADATA.at(file.name, "it is no text")]
    try:
        told = dict(_kohya(text) if file.suffix.lower() == ".json" else _json_lines(text))
    except ValueError as error:
        return {}, [mistakes.BAD_METADATA.at(file.name, str(error))]
    return _matched(place, told, file)


def _json_lines(text: str) -> Iterator[tuple[str, str]]:
    """{"file_name": "a.png", "text": "a dog"} a line, as the datasets library's imagefolder has it."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {number} is no JSON") from error
        caption = _first_text(told, _TEXT_KEYS)
        if caption is None or not isinstance(told.get("file_name"), str):
            raise ValueError(f'line {number} lacks "file_name" or "text"')
        yield told["file_name"], caption


def _kohya(text: str) -> Iterator[tuple[str, str]]:
    """{"path/a": {"caption": "a dog", "tags": "dog, grass"}}; tags are added to the caption, as kohya's trainer does."""
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is no JSON") from error
    if not isinstance(table, dict):
        raise ValueError("it is no table of pictures")
    for name, told in table.items():
        parts = [part for key in ("caption", "tags") if (part := _first_text(told, (key,)))]
        if parts:
            yield name, ", ".join(parts)


def _first_text(told: Any, keys: Iterable[str]) -> str | None:
    if not isinstance(told, Mapping):
        return None
    return next((told[key].strip() for key in keys if isinstance(told.get(key), str)), None)


def _matched(place: Place, told: Mapping[str, str], file: Path) -> tuple[dict[Path, str], list[Problem]]:
    """By path below the folder, with or without ending; by full path; else by the name alone."""
    folder = place.concept.folder
    names: dict[str, list[Path]] = defaultdict(list)
    for picture in place.pictures:
        below = picture.relative_to(folder)
        for key in {below.as_posix(), below.with_suffix("").as_posix(), str(picture), str(picture.with_suffix(""))}:
            names[key].append(picture)
    captions: dict[Path, str] = {}
    unknown = []
    for name, caption in told.items():
        found = names.get(name) or names.get(name.replace("\\", "/").rsplit("/", 1)[-1]) or []
        captions.update(dict.fromkeys(found, caption))
        if not found:
            unknown.append(name)
    shown = ", ".join(unknown[:5]) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")
    return captions, [mistakes.UNKNOWN_METADATA.at(file.name, shown)] if unknown else []


def _names_below(place: Place) -> dict[str, str]:
    """The paths of all files that may be captions, by what they are with their endings as the settings spell them; where there are two,
    the one that is so. Asked once, as asking for each is slow on network drives."""
    found: dict[str, str] = {}
    for folder in {file.parent for file in place.pictures}:
        for entry in os.scandir(folder):
            for ending in place.settings.extensions:
                if entry.path.lower().endswith(ending.lower()):
                    would = entry.path[: len(entry.path) - len(ending)] + ending
                    found[would] = entry.path if entry.path == would else found.get(would, entry.path)
    return found


def _beside(file: Path, ending: str) -> str:
    return str(file.with_suffix(ending))


def _lonely(place: Place, beside: Mapping[str, str]) -> Iterator[Problem]:
    """Captions whose picture is missing: likely it was renamed."""
    used = {_beside(file, ending) for file in (*place.pictures, *place.others) for ending in place.settings.extensions}
    for path in sorted(path for would, path in beside.items() if would not in used):
        if not Path(path).name.startswith("."):
            yield mistakes.LONELY_CAPTION.at(place.name_of(Path(path)))
