"""How do a trigger word, tags and a sentence become a caption?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lib_extension.captions.tags import SEPARATOR, caption_of, tags_of, without_twins
from lib_extension.spec.captioning import CaptioningSettings

_EMPTY = re.compile(r"(?:\s*,)+\s*(?=,)|^\s*,\s*|\s*,\s*$")


@dataclass(frozen=True)
class Said:
    """What there is to say of one picture."""

    tags: Sequence[str] = ()
    sentence: str = ""
    folder: str = ""


def composed(said: Said, settings: CaptioningSettings) -> str:
    """The new caption, "" where nothing was said. The trigger stands once, also where tags or sentence have it."""
    tags = chosen(said.tags, settings)
    if not tags and not said.sentence:
        return ""
    trigger = settings.trigger.strip()
    tags = [tag for tag in tags if tag.casefold() != trigger.casefold()]
    sentence = said.sentence.strip().rstrip(",")
    if trigger and sentence.casefold().startswith(trigger.casefold() + SEPARATOR.strip()):
        sentence = sentence[len(trigger) + 1 :].strip()
    text = settings.template.format(trigger=trigger, tags=caption_of(tags), sentence=sentence, folder=said.folder)
    while (shorter := _EMPTY.sub("", text)) != text:
        text = shorter
    return " ".join(text.split())


def chosen(tags: Iterable[str], settings: CaptioningSettings) -> list[str]:
    """By their aliases, without the undesired ones and those that go without saying; each once."""
    named = without_twins(settings.aliases.get(tag, tag) for tag in tags)
    implied = _implied(named, settings.implied)
    undesired = {tag.strip().casefold() for text in settings.undesired for tag in text.split(",")}
    return [tag for tag in named if tag not in implied and tag.casefold() not in undesired]


def merged(new: str, old: str, existing: str, trigger: str = "") -> str:
    """What stands in the end where there was a caption: `existing` is append, prepend or replace. Tags that are there are not repeated; a
    trigger that is the first of the new ones is the first of all."""
    if not old or existing == "replace":
        return new
    said, there = tags_of(new), tags_of(old)
    word = trigger.strip().casefold()
    leads = [tag for tag in said[:1] if tag.casefold() == word]
    lacking = [tag for tag in said[len(leads) :] if tag not in there]
    if not lacking and (not leads or there[:1] == leads):
        return old
    rest = [left] if (left := _without_tag(old, word) if leads else old) else []
    return caption_of([*leads, *rest, *lacking] if existing == "append" else [*leads, *lacking, *rest])


def _without_tag(caption: str, tag: str) -> str:
    """Its other tags as they were written, lines and all."""
    return re.sub(rf"(?:^|[,\n])[^\S\n]*{re.escape(tag)}[^\S\n]*(?=[,\n]|$)", "", caption, flags=re.IGNORECASE).lstrip(", \n")


def _implied(tags: Sequence[str], implied: Mapping[str, Sequence[str]]) -> set[str]:
    """All that go without saying, also what those imply."""
    found: set[str] = set()
    open_ones = list(tags)
    while open_ones:
        for tag in implied.get(open_ones.pop(), ()):
            if tag not in found:
                found.add(tag)
                open_ones.append(tag)
    return found
