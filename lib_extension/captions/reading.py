"""Which captions does a file of another program have for a folder's pictures?

`metadata.jsonl` is that of Hugging Face's datasets (a line {"file_name", "text"} for each picture); JSON is kohya's (a picture's name →
{"caption", "tags"}). Names may be paths of another machine, and lack endings or have others.
"""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lib_extension.captions.edits import Difference
from lib_extension.captions.files import Captioned, text_in
from lib_extension.captions.listing import PICTURES
from lib_extension.spec.errors import BadFile, BadRequest

MOST_BYTES = 512 * 2**20
_TEXT_KEYS = ("text", "caption", "prompt")
Closeness = tuple[bool, int, int]  # whether the folders are the picture's in its folder; how many of their paths agree; the ending's


def read_from(file: Path, captions: Sequence[Captioned]) -> tuple[list[Difference], list[str]]:
    """As `matched`, of a file. BadFile for what is neither form, BadRequest for kohya's other one."""
    if file.suffix.lower() == ".toml":
        raise BadRequest(f'"{file.name}" names folders: `python -m trainer captions` with read="{file.name}" takes the captions in them.')
    return matched(_told(file), captions)


def matched(told: Iterable[tuple[str, str]], captions: Sequence[Captioned]) -> tuple[list[Difference], list[str]]:
    """What (name, caption)s change in the folder's captions, and the names that are no picture there, or not surely which."""
    by_name: dict[str, list[Captioned]] = defaultdict(list)
    by_stem: dict[str, list[Captioned]] = defaultdict(list)
    for one in captions:
        name = composed(one.picture.name)
        by_name[name].append(one)
        by_stem[name.rpartition(".")[0]].append(one)
    claims: dict[str, list[tuple[Closeness, str, str]]] = defaultdict(list)
    pictures: dict[str, Captioned] = {}
    strange = []
    for name, text in dict(told).items():
        found = _meant(name, by_name, by_stem)
        if found is None:
            strange.append(name)
        else:
            pictures[found[1].name] = found[1]
            claims[found[1].name].append((found[0], name, text))
    changes = []
    for picture, named in claims.items():
        closest = max(closeness for closeness, _, _ in named)
        texts = {text for closeness, _, text in named if closeness == closest}
        strange += [name for closeness, name, _ in named if closeness != closest or len(texts) > 1]
        one = pictures[picture]
        changes += [Difference(one, one.text, text) for text in texts if len(texts) == 1 and text != one.text]
    return changes, strange


def composed(name: str) -> str:
    """As one system writes "é" with one letter and another with two."""
    return unicodedata.normalize("NFC", name)


def _meant(
    name: str, by_name: Mapping[str, Sequence[Captioned]], by_stem: Mapping[str, Sequence[Captioned]]
) -> tuple[Closeness, Captioned] | None:
    """The one picture that is named, and how closely: as it is, without an ending, or with the ending of another kind of picture."""
    *folders, last = _parts(name) or [""]
    stem, dot, ending = last.rpartition(".")
    others = by_stem.get(stem, ()) if f"{dot}{ending.lower()}" in PICTURES else ()
    kinds = enumerate((others, by_stem.get(last, ()), by_name.get(last, ())))
    rated = [((*close, kind), one) for kind, candidates in kinds for one in candidates if (close := _closeness(folders, one))]
    closest = max((closeness for closeness, _ in rated), default=None)
    found = [one for closeness, one in rated if closeness == closest]
    if closest is None or len({one.file for one in found}) > 1:
        return None
    return closest, next((one for one in found if not one.problem), found[0])


def _closeness(folders: Sequence[str], one: Captioned) -> tuple[bool, int] | None:
    """None where the folders of the name and those that the picture has in its folder contradict each other."""
    own = _parts(one.name)[:-1]
    whole = _parts(one.picture.absolute().as_posix())[:-1]
    pairs = zip(reversed(folders), reversed(whole), strict=False)
    agree = next((number for number, (told, there) in enumerate(pairs) if told != there), min(len(folders), len(whole)))
    return None if agree < min(len(folders), len(own)) else (list(folders) == own, agree)


def _parts(path: str) -> list[str]:
    return [part for part in composed(path.replace("\\", "/")).split("/") if part not in ("", ".")]


def _told(file: Path) -> list[tuple[str, str]]:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise BadFile(f'"{file.name}" is too large for a file of captions.')
        text = text_in(file.read_bytes(), file.name)
    except OSError as problem:
        raise BadFile(f'"{file.name}" cannot be read: {problem.strerror}.') from problem
    try:
        if file.suffix.lower() == ".jsonl":
            told = [_line(json.loads(line)) for line in text.split("\n") if line.strip()]
        else:
            told = [(name, _of_kohya(entry)) for name, entry in json.loads(text).items()]
        for words in told:
            "".join(words).encode()  # ValueError for halves of letters, which JSON can hold and no file of text
        return told
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise BadFile(f'"{file.name}" is neither a metadata.jsonl nor a JSON of captions: {problem}.') from problem


def _line(entry: dict[str, Any]) -> tuple[str, str]:
    text = next((entry[key] for key in _TEXT_KEYS if isinstance(entry.get(key), str)), None)
    if text is None:
        raise ValueError(f"a line has none of {', '.join(_TEXT_KEYS)}")
    return str(entry["file_name"]), text.strip()


def _of_kohya(entry: Any) -> str:
    if isinstance(entry, str):
        return entry.strip()
    tags = entry.get("tags", "")
    parts = [entry.get("caption", ""), ", ".join(tags) if isinstance(tags, list) else tags]
    return ", ".join(part.strip() for part in parts if part.strip())
