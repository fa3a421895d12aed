"""What do captions say of the class: all but the trigger word?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lib_extension.captions.files import Captioned
from lib_extension.captions.tags import caption_of, tags_of, without_twins
from lib_extension.spec.errors import BadRequest

_BEFORE_A_STOP = re.compile(r"\s+(?=[.;:!?])")


def class_captions(captions: Iterable[Captioned], trigger: str, instead: str = "") -> list[str]:
    """Of each caption that says something besides the trigger, in their order. BadRequest where none does, or none has the trigger."""
    texts = [one.text for one in captions if one.text and not one.problem]
    words = tags_of(trigger)
    if words and not any(_pattern(words).search(text) for text in texts):
        raise BadRequest(f'No caption has the trigger word "{trigger}". Write it as the captions do, or leave it empty.')
    found = [told for text in texts if (told := without_trigger(text, words, instead))]
    if not found:
        raise BadRequest("The captions say nothing besides the trigger word. Say what stands in its place, or caption the pictures.")
    return found


def without_trigger(caption: str, words: Sequence[str], instead: str = "") -> str:
    """The caption with `instead` for each of the words, which stand there whole, capitals or not; tags that this empties or doubles go."""
    if not words:
        return caption
    pattern = _pattern(words)
    tags = tags_of(caption)
    kept = (_BEFORE_A_STOP.sub("", " ".join(pattern.sub(lambda _: instead, tag).split())) if pattern.search(tag) else tag for tag in tags)
    return caption_of(without_twins(tag for tag in kept if tag.strip(".;:!? ")))


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
