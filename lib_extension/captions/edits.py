"""What becomes of a caption by an edit? Pure: nothing is written here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lib_extension.captions.files import Captioned
from lib_extension.captions.patterns import substituted
from lib_extension.captions.tags import caption_of, spaced, tags_of, without_twins
from lib_extension.spec.captions import (
    AddTags,
    CaptionEdit,
    RemoveTags,
    ReplaceTags,
    ReplaceText,
    SetText,
    SortTags,
    TidyTags,
)

Change = Callable[[str], str]


@dataclass(frozen=True)
class Difference:
    """One caption that an edit changes."""

    captioned: Captioned
    before: str
    after: str


def differences(captions: Sequence[Captioned], edits: Iterable[CaptionEdit]) -> list[Difference]:
    """What the edits, one after the other, change in these captions; those that stay as they are are left out."""
    texts = [one.text for one in captions]
    for edit in edits:
        change = _change(edit, texts)
        texts = [change(text) for text in texts]
    told = zip(captions, texts, strict=True)
    return [Difference(one, one.text, after) for one, after in told if after != one.text]


def title_of(edits: Iterable[CaptionEdit]) -> str:
    """The edits in a few words, such as 'add "sks"; remove "blurry"'."""
    return "; ".join(map(_words, edits))


def _words(edit: CaptionEdit) -> str:
    match edit:
        case AddTags():
            return f'add "{_short(caption_of(_clean(edit.tags)))}"'
        case RemoveTags():
            return f'remove "{_short(caption_of(_clean(edit.tags)))}"'
        case ReplaceTags():
            return f'replace "{_short(edit.tag)}" by "{_short(caption_of(_clean(edit.by)))}"'
        case ReplaceText():
            return f'replace "{_short(edit.find)}" by "{_short(edit.by)}" in the text'
        case SortTags():
            return f"sort {edit.order}"
        case TidyTags():
            return "tidy"
        case SetText():
            return f'set "{_short(edit.text.strip())}"'


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _change(edit: CaptionEdit, texts: Sequence[str]) -> Change:
    """What the edit makes of one caption; `texts` are all that it is about."""
    match edit:
        case AddTags():
            return _adding(_clean(edit.tags), edit.where == "first")
        case RemoveTags():
            gone = set(_clean(edit.tags))
            return _on_tags(lambda tags: [tag for tag in tags if tag not in gone], gone)
        case ReplaceTags():
            by = _clean(edit.by)
            return _on_tags(lambda tags: without_twins(new for tag in tags for new in (by if tag == edit.tag else [tag])), {edit.tag})
        case ReplaceText(pattern=True):
            made = dict(zip(texts, substituted(edit.find, edit.by, texts), strict=True))
            return lambda text: made[text]
        case ReplaceText():
            return lambda text: text.replace(edit.find, edit.by)
        case SortTags():
            return _sorting(edit, texts)
        case TidyTags():
            tidy = spaced if edit.underscores else str
            return lambda text: caption_of(without_twins(tidy(" ".join(tag.split())) for tag in tags_of(text)))
        case SetText():
            return lambda _: edit.text.strip()


def _on_tags(change: Callable[[list[str]], list[str]], about: set[str]) -> Change:
    """A change of tags that leaves captions without any of `about` as they were written, to the space."""

    def changed(text: str) -> str:
        tags = tags_of(text)
        return text if about.isdisjoint(tags) else caption_of(change(tags))

    return changed


def _adding(new: Sequence[str], first: bool) -> Change:
    def changed(text: str) -> str:
        tags = tags_of(text)
        lacking = [tag for tag in new if tag not in tags]
        if not lacking:
            return text
        return caption_of([*lacking, *tags] if first else [*tags, *lacking])

    return changed


def _sorting(edit: SortTags, texts: Sequence[str]) -> Change:
    often = Counter(tag for text in texts for tag in set(tags_of(text))) if edit.order == "most frequent first" else Counter[str]()

    def changed(text: str) -> str:
        tags = tags_of(text)
        rest = sorted(tags[edit.keep :], key=lambda tag: (-often[tag], tag.casefold()))
        ordered = tags[: edit.keep] + rest
        return text if ordered == tags else caption_of(ordered)

    return changed


def _clean(tags: Iterable[str]) -> list[str]:
    return without_twins(tag for text in tags for tag in tags_of(text))
