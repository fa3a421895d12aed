"""What text do the bytes of a caption hold, in whatever encoding they were saved?"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Text:
    """What a file holds. None: it is no text."""

    text: str | None
    is_unicode: bool = True


def decoded(data: bytes) -> Text:
    """UTF-8, UTF-16 with a mark or seen by its zero bytes, else Windows-1252; without the space around it, lines ended by "\\n"."""
    for encoding in [name for mark, name in _MARKS if data.startswith(mark)] or [*_utf16_by_zeros(data), "utf-8"]:
        try:
            return Text(_clean(data.decode(encoding)))
        except ValueError:
            continue
    try:
        return Text(_clean(data.decode("cp1252")), is_unicode=False)
    except ValueError:
        return Text(None)


def _utf16_by_zeros(data: bytes) -> list[str]:
    """Latin letters in UTF-16 have a zero in every second byte."""
    if len(data) < 2 or len(data) % 2:
        return []
    if data[1::2].count(0) > len(data) // 4:
        return ["utf-16-le"]
    return ["utf-16-be"] if data[0::2].count(0) > len(data) // 4 else []


def _clean(text: str) -> str:
    """ValueError for what no caption holds."""
    if "\0" in text:
        raise ValueError("zero bytes")
    return text.replace("\r\n", "\n").strip()
