"""What may be asked of a folder's captions: which of them, and what is to become of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field


@dataclass(frozen=True)
class CaptionFilter(Settings):
    """Which captions are meant: all, where nothing is said."""

    has: list[str] = field([], label="Has the tags")
    lacks: list[str] = field([], label="Lacks the tags")
    match: Literal["all", "any"] = field("all", label="Of these conditions", help="all: each must hold. any: one is enough.")
    text: str = field("", label="Has the text", help="Anywhere in it; capitals do not matter.")
    pattern: str = field("", label="Fits the pattern", help="A regular expression that fits anywhere in the caption.", advanced=True)
    names: list[str] = field([], label="File names", help="Pictures by their path in the folder; empty: any.", advanced=True)

    def check(self) -> None:
        """BadRequest where the pattern is none."""
        compiled(self.pattern, "pattern")


@dataclass(frozen=True)
class AddTags(Settings):
    """Add tags that a caption lacks."""

    kind: Literal["add"]
    tags: list[str] = field(label="Tags")
    where: Literal["first", "last"] = field("last", label="Where")


@dataclass(frozen=True)
class RemoveTags(Settings):
    """Take tags away."""

    kind: Literal["remove"]
    tags: list[str] = field(label="Tags")


@dataclass(frozen=True)
class ReplaceTags(Settings):
    """Put tags in the place of one."""

    kind: Literal["replace"]
    tag: str = field(label="Tag")
    by: list[str] = field(label="By the tags")


@dataclass(frozen=True)
class ReplaceText(Settings):
    """Put other words in the place of words, anywhere in the caption."""

    kind: Literal["text"]
    find: str = field(label="Find")
    by: str = field("", label="Replace by", help=r"With a pattern, \1 is what its first brackets found.")
    pattern: bool = field(False, label="It is a regular expression")

    def check(self) -> None:
        """BadRequest where there is nothing to find, or the pattern or what replaces it is none."""
        if not self.find:
            raise BadRequest("find is empty; say which words are to be replaced.")
        if self.pattern:
            try:
                compiled(self.find, "find").sub(self.by, "")
            except (re.error, IndexError) as problem:
                raise BadRequest(f'by is "{self.by}", and cannot stand for what the pattern finds: {problem}.') from problem


@dataclass(frozen=True)
class SortTags(Settings):
    """Put tags in an order; those to be kept first stay first."""

    kind: Literal["sort"]
    order: Literal["by name", "most frequent first"] = field("by name", label="Order")
    keep: int = field(
        0, label="Leave the first", minimum=0, maximum=100, help="So many tags stay where they are, such as the trigger word."
    )


@dataclass(frozen=True)
class TidyTags(Settings):
    """Take away empty and doubled tags and spaces."""

    kind: Literal["tidy"]
    underscores: bool = field(False, label="Underscores become spaces", help="But in those that are faces, such as ^_^.")


@dataclass(frozen=True)
class SetText(Settings):
    """Make the caption a new one."""

    kind: Literal["set"]
    text: str = field("", label="Caption", multiline=True)


CaptionEdit = AddTags | RemoveTags | ReplaceTags | ReplaceText | SortTags | TidyTags | SetText
EDITS = (AddTags, RemoveTags, ReplaceTags, ReplaceText, SortTags, TidyTags, SetText)


def compiled(pattern: str, where: str) -> re.Pattern[str]:
    """The regular expression, or BadRequest that says where in it the fault is."""
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as problem:
        raise BadRequest(f'{where} is "{pattern[:60]}", which is no regular expression: {problem}.') from problem
