"""What may clients ask of a folder of pictures and captions? The bodies of its routes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.captions import CaptionEdit, CaptionFilter, Ending, ExportSettings
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field


@dataclass(frozen=True, kw_only=True)
class FolderAsked(Settings):
    """Which folder."""

    folder: str = field(label="Folder")
    nested: bool = field(True, label="Folders in it, too")
    ending: Ending = field("", label="Ending")


@dataclass(frozen=True, kw_only=True)
class PicturesAsked(FolderAsked):
    """One page of its pictures."""

    filter: CaptionFilter = field(CaptionFilter(), label="Which")
    sort: Literal["name", "caption", "tags"] = field("name", label="Sorted by")
    page: int = field(0, label="Page", minimum=0, maximum=10**7)
    size: int = field(60, label="Pictures on a page", minimum=1, maximum=200)
    trigger: str = field("", label="Trigger word")
    names: bool = field(False, label="The names of all that match, too")


@dataclass(frozen=True, kw_only=True)
class TagsAsked(FolderAsked):
    """Tags of its captions."""

    text: str = field("", label="Find a tag", help="Anywhere in it; capitals do not matter.")


@dataclass(frozen=True, kw_only=True)
class EditAsked(FolderAsked):
    """What is to become of captions."""

    filter: CaptionFilter = field(CaptionFilter(), label="Which")
    names: list[str] = field([], label="Selected pictures", help="Empty: all that the filter means.")
    edits: list[CaptionEdit] = field(label="Edits")

    def check(self) -> None:
        """BadRequest where nothing is to be done."""
        if not self.edits:
            raise BadRequest("edits is empty; say what is to become of the captions.")


@dataclass(frozen=True, kw_only=True)
class CaptionAsked(FolderAsked):
    """One caption, written by hand."""

    name: str = field(label="Picture")
    before: str = field(label="Caption that was seen")
    text: str = field(label="Caption")


@dataclass(frozen=True, kw_only=True)
class ExportAsked(FolderAsked):
    """Captions for other programs."""

    filter: CaptionFilter = field(CaptionFilter(), label="Which")
    export: ExportSettings = field(label="For other programs")


@dataclass(frozen=True, kw_only=True)
class ReadAsked(FolderAsked):
    """Captions from other programs."""

    file: str = field(label="File")
    preview: bool = field(False, label="Only show what would change")
