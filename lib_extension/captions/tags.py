"""What are the tags of a caption, and how do they read in a prompt?"""

from __future__ import annotations

import re
from collections.abc import Iterable

SEPARATOR = ", "
# Tags that are faces: the taggers' lists have some thirty such, in which the underscore is a mouth or a gap.
_FACE = re.compile(
    r"[^a-z0-9]{1,3}_[^a-z0-9]{1,3}|[0o><=@xuvdt3;|+.\-]_[0o><=@xuvdt3;|+.\-]|6_9|(\\?\(o\\?\)|<o>)_(\\?\(o\\?\)|<o>)", re.IGNORECASE
)
_BRACKET = re.compile(r"(?<!\\)([()])")


def tags_of(caption: str) -> list[str]:
    """The parts between commas, without the spaces around them. A sentence with no comma is one tag."""
    return [tag for part in caption.replace("\n", ",").split(",") if (tag := part.strip())]


def caption_of(tags: Iterable[str]) -> str:
    """The caption that tags_of reads back to these tags."""
    return SEPARATOR.join(tags)


def spaced(tag: str) -> str:
    """The tag with spaces for underscores, but in those that are faces."""
    return tag if _FACE.fullmatch(tag) else tag.replace("_", " ")


def escaped(tag: str) -> str:
    r"""The tag as a WebUI's prompt wants it: brackets mean emphasis there unless a backslash stands before them."""
    return _BRACKET.sub(r"\\\1", tag)


def without_twins(tags: Iterable[str]) -> list[str]:
    """Each tag once, where it stood first."""
    return list(dict.fromkeys(tags))
