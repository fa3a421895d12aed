"""What do clients learn of a folder of pictures and captions: one page of them, what is in all, and what an edit would change?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lib_extension.api.asked_folders import folder_asked
from lib_extension.api.dataset_asked import EditAsked, FolderAsked, PicturesAsked
from lib_extension.captions import contradictions
from lib_extension.captions.contradictions import Contradiction
from lib_extension.captions.counts import fused_with
from lib_extension.captions.edits import Difference
from lib_extension.captions.files import Captioned
from lib_extension.captions.filters import Known, matching
from lib_extension.captions.journal import Journal, Outcome, journal_of
from lib_extension.captions.shelf import Reading, Shelf
from lib_extension.formats.clip_tokens import count_tokens
from lib_extension.jobs.asked_paths import Roots
from lib_extension.pictures.looks import Looks, key_of
from lib_extension.spec.captions import CaptionFilter

MOST_TAGS = 500
MOST_SHOWN = 100  # differences

Told = dict[str, Any]


@dataclass(frozen=True)
class Opened:
    """A folder as it stands now."""

    folder: Path
    reading: Reading
    journal: Journal
    contradicted: Mapping[str, Contradiction]


class Datasets:
    """The folders that clients look at. `home`: Atelier's data, where the journals are."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._shelf = Shelf()
        self.looks = Looks()

    def journal(self, folder: Path) -> Journal:
        """Of a folder's edits."""
        return journal_of(self._home, folder)

    def open(self, asked: FolderAsked, roots: Roots) -> Opened:
        """BadRequest and NotFound for folders that there are not, or that are out of bounds."""
        folder = folder_asked(asked.folder, roots)
        reading = self._shelf.read(folder, asked.ending, asked.nested, roots)
        journal = self.journal(folder)
        found = contradictions.of_captions(reading.captions, contradictions.read(journal.folder))
        return Opened(folder, reading, journal, found)

    def meant(self, opened: Opened, wanted: CaptionFilter) -> list[Captioned]:
        """By a filter. Busy while pictures are still looked at for the first time."""
        similar = None
        if wanted.similar:
            files = {one.name: one.picture for one in opened.reading.captions}
            similar = self.looks.similar(files, wanted.similar, wanted.alike)
        return matching(opened.reading.captions, wanted, Known(similar, opened.contradicted.keys()))

    def chosen(self, opened: Opened, asked: EditAsked) -> list[Captioned]:
        """Those that are selected; where none is, all that the filter means."""
        if asked.names:
            wanted = set(asked.names)
            return [one for one in opened.reading.captions if one.name in wanted and not one.problem]
        return self.meant(opened, asked.filter)

    def page(self, opened: Opened, asked: PicturesAsked) -> Told:
        """The answer to a look at a folder. Captions that cannot be read are shown where no filter is set."""
        everything = asked.filter == CaptionFilter()
        found = list(opened.reading.captions) if everything else self.meant(opened, asked.filter)
        if asked.sort != "name":
            found.sort(key=_ORDERS[asked.sort])
        start = asked.page * asked.size
        return {
            "folder": str(opened.folder),
            "total": len(opened.reading.captions),
            "matching": len(found),
            "page": asked.page,
            "pictures": [self.picture(one, opened.contradicted.get(one.name)) for one in found[start : start + asked.size]],
            **_all_in_all(opened.reading, asked.trigger),
            "history": history(opened.journal),
            **({"names": [one.name for one in found]} if asked.names else {}),
        }

    def picture(self, one: Captioned, contradicted: Contradiction | None) -> Told:
        """One of a page."""
        width, height = self.looks.size(one.picture)
        return {
            "name": one.name,
            "caption": one.text,
            "tags": one.tags,
            "tokens": None if one.problem and not one.text else _tokens(one.text),
            "problem": one.problem,
            "width": width,
            "height": height,
            "changed": changed(one.picture),
            "contradicted": None if contradicted is None else asdict(contradicted),
        }


@lru_cache(maxsize=20_000)
def _tokens(text: str) -> int:
    return count_tokens(text)  # as a training reads it: what is emphasis in prompts is a sign like others


def changed(file: Path) -> str:
    """Another text once the file is another, for addresses."""
    _, time, size = key_of(file)
    return f"{time:x}-{size:x}"


def history(journal: Journal) -> list[Told]:
    """The edits, the newest first."""
    return [
        {"number": one.number, "title": one.title, "time": one.time, "files": one.captions, "undone": one.undone}
        for one in reversed(journal.entries())
    ]


def previewed(changes: Sequence[Difference]) -> Told:
    """What would change."""
    shown = [{"name": one.captioned.name, "before": one.before, "after": one.after} for one in changes[:MOST_SHOWN]]
    return {"changes": len(changes), "differences": shown}


def outcome_told(outcome: Outcome, title: str) -> Told:
    """What was changed."""
    return {"done": outcome.done, "refused": [list(one) for one in outcome.refused], "title": title}


def unknown(names: Iterable[str], reading: Reading) -> tuple[tuple[str, str], ...]:
    """Of selected names those that cannot be edited, and why."""
    told = []
    for name in names:
        one = reading.by_name.get(name)
        if one is None:
            told.append((name, "There is no such picture in the folder any more."))
        elif one.problem:
            told.append((name, one.problem))
    return tuple(told)


def tags_with(reading: Reading, text: str) -> Told:
    """The tags that hold a text, the most frequent first; `matching` are all, also those that are too many to be told."""
    word = text.strip().casefold()
    found = [one for one in reading.counts.tags if word in one[0].casefold()]
    return {"tags": found[:MOST_TAGS], "matching": len(found)}


def _all_in_all(reading: Reading, trigger: str) -> Told:
    counts = reading.counts
    tags = tags_with(reading, "")
    return {
        "counts": {"captions": counts.captions, "empty": counts.empty, "tags": tags["tags"], "different": tags["matching"]},
        "balance": reading.balance,
        "fused": fused_with(trigger, reading.captions),
    }


_ORDERS: dict[str, Callable[[Captioned], Any]] = {"caption": lambda one: one.text.casefold(), "tags": lambda one: len(one.tags)}
