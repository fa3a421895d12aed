"""What do a folder's captions say all in all: how often each tag, which tags never come without the trigger word?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lib_extension.captions.files import Captioned
from lib_extension.formats.picture_names import repeated


@dataclass(frozen=True)
class Counts:
    """`tags` by how many captions have them, the most frequent first; `empty` have none at all."""

    captions: int
    empty: int
    tags: tuple[tuple[str, int], ...]


def count(captions: Iterable[Captioned]) -> Counts:
    """Of the captions that could be read."""
    sound = [one for one in captions if not one.problem]
    often = Counter(tag for one in sound for tag in set(one.tags))
    by_count = sorted(often.items(), key=lambda item: (-item[1], item[0].casefold()))
    return Counts(len(sound), sum(not one.text for one in sound), tuple(by_count))


def fused_with(trigger: str, captions: Sequence[Captioned], share: float = 0.9) -> list[tuple[str, float]]:
    """The tags that stand in at least `share` of the captions with the trigger word, and that share (0..1), the highest first.

    What is said with every picture of a thing is learnt as the thing: such a tag is either to be left unsaid (so that it belongs to the
    trigger) or to be varied in the pictures. Fewer than three captions with the trigger tell nothing.
    """
    word = trigger.strip().casefold()
    if not word:
        return []
    whole = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")  # also in a sentence
    with_it = [set(one.tags) for one in captions if not one.problem and whole.search(one.text.casefold())]
    if len(with_it) < 3:
        return []
    often = Counter(tag for tags in with_it for tag in tags if tag.casefold() != word)
    fused = [(tag, number / len(with_it)) for tag, number in often.items() if number / len(with_it) >= share]
    return sorted(fused, key=lambda item: (-item[1], item[0].casefold()))


def balance(captions: Iterable[Captioned]) -> tuple[tuple[str, int, int], ...]:
    """How many pictures each subfolder has ("" is the folder itself) and how often each is seen, the most seen first.

    How often is said by names such as 10_dog, and is 0 where they do not all say it: only then are they taken so by a training.
    """
    often = Counter(one.name.rpartition("/")[0] for one in captions)
    told = {name: repeated(name) for name in often if "/" not in name}
    repeats = {name: one[0] for name, one in told.items() if one}
    folders = [(name, count, repeats[name] if len(repeats) == len(often) else 0) for name, count in often.items()]
    return tuple(sorted(folders, key=lambda one: (-one[1] * max(1, one[2]), one[0])))
