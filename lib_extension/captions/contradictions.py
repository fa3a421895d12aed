"""What did the tagger see otherwise than a folder's captions say, when they were last compared?

One JSON file in the folder's journal: {"pictures": {name: {"caption": hash, "unseen": [[tag, p]], "unsaid": [[tag, p]]}}}. It says
nothing of a caption that was changed since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extension.captions.files import Captioned, write_bytes

FILE = "contradictions.json"
Seen = tuple[tuple[str, float], ...]  # tags and how likely the tagger finds each, 0..1


@dataclass(frozen=True)
class Contradiction:
    """Of one picture."""

    unseen: Seen = ()  # tags of the caption that are hardly seen
    unsaid: Seen = ()  # what is seen clearly, and the caption lacks


def write(journal: Path, compared: Iterable[tuple[Captioned, Contradiction]]) -> Path:
    """Keep them beside the journal's edits; those of an earlier comparison go. Raises BadFile where it cannot be written."""
    pictures = {
        one.name: {"caption": caption_hash(one.text), "unseen": _pairs(found.unseen), "unsaid": _pairs(found.unsaid)}
        for one, found in compared
    }
    journal.mkdir(parents=True, exist_ok=True)
    write_bytes(journal / FILE, json.dumps({"pictures": pictures}, ensure_ascii=False).encode())
    return journal / FILE


def read(journal: Path) -> dict[str, tuple[str, Contradiction]]:
    """By the picture's name: the hash of the caption that was compared, and what was found. Empty where nothing, or nonsense, is kept."""
    try:
        pictures = json.loads((journal / FILE).read_text("utf-8"))["pictures"]
        return {name: (told["caption"], Contradiction(_seen(told["unseen"]), _seen(told["unsaid"]))) for name, told in pictures.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def of_captions(captions: Iterable[Captioned], compared: Mapping[str, tuple[str, Contradiction]]) -> dict[str, Contradiction]:
    """Those of captions that are as they were when they were compared, by the picture's name."""
    found = {}
    for one in captions if compared else ():
        caption, told = compared.get(one.name, ("", Contradiction()))
        if (told.unseen or told.unsaid) and caption == caption_hash(one.text):
            found[one.name] = told
    return found


def caption_hash(text: str) -> str:
    """Of a caption as it is read."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _pairs(seen: Seen) -> list[list[Any]]:
    return [[tag, round(p, 4)] for tag, p in seen]


def _seen(told: Any) -> Seen:
    return tuple((str(tag), float(p)) for tag, p in told)
