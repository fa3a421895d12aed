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
    similar: str = field("", label="Similar to", help="A picture of the folder, by its path in it.")
    alike: int = field(
        10, label="Similar up to", minimum=0, maximum=32, help="Differing bits of 64 in the pictures' perceptual hashes.", advanced=True
    )
    contradicted: bool = field(
        False, label="The tagger contradicts", help="Captions of which the last comparison with a tagger found that it sees otherwise."
    )
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


Ending = Literal["", ".txt", ".caption"]
Form = Literal["txt", "caption", "json", "metadata.jsonl", "kohya"]


@dataclass(frozen=True)
class ExportSettings(Settings):
    """Captions for other programs, in a folder of their own."""

    into: str = field(label="Into the folder")
    form: Form = field("metadata.jsonl", label="Form", help="kohya: a folder N_name with the pictures, and a dataset.toml.")
    name: str = field("dataset", label="Name", help="Of the concept, and on the card.")
    repeats: int = field(10, label="Repeats", minimum=1, maximum=10000, help="Of kohya's folders.")
    resolution: int = field(512, label="Resolution", minimum=64, maximum=4096, help="In the dataset.toml.")
    card: bool = field(True, label="A card", help="README.md that says what is in the dataset.")


@dataclass(frozen=True)
class CaptionsSettings(Settings):
    """Look through a folder's captions, edit them, take edits back, bring them from and to other programs."""

    folder: str = field(label="Folder")
    nested: bool = field(True, label="Folders in it, too")
    ending: Ending = field("", label="Ending", help="Empty: whichever is there.", advanced=True)
    filter: CaptionFilter = field(CaptionFilter(), label="Which")
    edits: list[CaptionEdit] = field([], label="Edits", help="One after the other.")
    preview: bool = field(False, label="Only show what would change")
    undo: int = field(0, label="Take back", minimum=0, maximum=200, help="So many edits, the last first.")
    read: str = field(
        "",
        label="Read captions from",
        help="A metadata.jsonl, or kohya's JSON, that names the pictures; by the command line a dataset.toml, too.",
        advanced=True,
    )
    export: ExportSettings | None = field(None, label="For other programs", advanced=True)
    trigger: str = field("", label="Trigger word", help="To point out tags that are learnt as it.")
    journal: str = field("", label="Journal", help="Where edits are kept to be taken back; empty: beside Atelier's data.", advanced=True)


def compiled(pattern: str, where: str) -> re.Pattern[str]:
    """The regular expression, or BadRequest that says where in it the fault is."""
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as problem:
        raise BadRequest(f'{where} is "{pattern[:60]}", which is no regular expression: {problem}.') from problem
