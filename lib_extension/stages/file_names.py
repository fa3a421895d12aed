"""Which names can files have on every system? What a value holds is made into one that Windows takes, too."""

from __future__ import annotations

import re
import unicodedata

_REFUSED = re.compile(r'[<>:"\\|?*\x00-\x1f\x7f]')
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
_LONGEST = 120  # UTF-8 bytes of a part; file systems take 255, and endings and folders come on top


def safe_path(text: str) -> str:
    """A relative path with / between its parts: none of them is empty, leads upwards, or has a name that a system keeps for itself."""
    parts = [safe_name(part) for part in re.split(r"[/\\]", text)]
    return "/".join(part for part in parts if part) or "picture"


def safe_name(text: str) -> str:
    """One part of a path; '' where nothing of the text can stay."""
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    name = _REFUSED.sub("_", text.replace("/", "_"))
    name = name.encode()[:_LONGEST].decode("utf-8", "ignore").strip(" .")
    stem, dot, ending = name.partition(".")
    return f"{stem}_{dot}{ending}" if _DEVICES.fullmatch(stem.rstrip()) else name


def unused(path: str, used: set[str]) -> str:
    """The path, or with -2, -3, … before its ending where it is taken; noted in `used`. Upper and lower case are one to Windows."""
    stem, dot, ending = path.rpartition(".")
    number, candidate = 2, path
    while candidate.casefold() in used:
        candidate = f"{stem}-{number}{dot}{ending}"
        number += 1
    used.add(candidate.casefold())
    return candidate
