"""How is a folder of captions looked at again and again without reading again what is as it was?"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lib_extension.captions.counts import Counts, balance, count
from lib_extension.captions.files import Captioned, captioned, without_shared
from lib_extension.captions.listing import Listed, listed
from lib_extension.formats.name_order import as_people_count

MOST = 4  # folders that are held


@dataclass(frozen=True)
class Reading:
    """A folder's captions as they stood; `listed` and `captions` in the same order, by name as people count."""

    listed: tuple[Listed, ...]
    captions: tuple[Captioned, ...]

    @cached_property
    def by_name(self) -> dict[str, Captioned]:
        """Each picture."""
        return {one.name: one for one in self.captions}

    @cached_property
    def counts(self) -> Counts:
        """Of all of them."""
        return count(self.captions)

    @cached_property
    def balance(self) -> tuple[tuple[str, int, int], ...]:
        """Of all of them."""
        return balance(self.captions)


class Shelf:
    """The folders that were read last. Safe for many threads, of which one reads a folder at a time."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._turns: dict[tuple[str, str, bool], threading.Lock] = {}
        self._readings: dict[tuple[str, str, bool], Reading] = {}

    def read(self, folder: Path, ending: str = "", nested: bool = True, within: Sequence[Path] | None = None) -> Reading:
        """The captions as they stand now; the same reading as before where nothing is new. Errors as those of `listed`."""
        key = (str(folder), ending, nested)
        with self._guard:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            before = self._readings.get(key)
            now = _read(listed(folder, ending, nested, within), before)
            with self._guard:
                self._readings.pop(key, None)
                self._readings[key] = now
                for old in list(self._readings)[:-MOST]:
                    del self._readings[old]
                    self._turns.pop(old, None)  # gone already where it was being read again while others took its place
        return now


def _read(found: list[Listed], before: Reading | None) -> Reading:
    known = {one.name: (one, told) for one, told in zip(before.listed, before.captions, strict=True)} if before else {}
    if before and len(found) == len(known) and all(one.name in known for one in found):
        new = {one.name: one for one in found}
        ordered = [new[name] for name in known]
        if all(one == known[one.name][0] for one in ordered):
            return before
    else:
        ordered = sorted(found, key=lambda one: as_people_count(one.name))
    told = [_told(one, known.get(one.name)) for one in ordered]
    return Reading(tuple(ordered), tuple(without_shared(told)))


def _told(one: Listed, known: tuple[Listed, Captioned] | None) -> Captioned:
    if known is not None and known[0] == one and not known[1].problem:
        return known[1]
    return captioned(one)
