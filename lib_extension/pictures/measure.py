"""How large is a picture in a file, without reading its pixels?"""

from __future__ import annotations

import struct
from pathlib import Path

from PIL import Image

from lib_extension.pictures.png import FORMATS

_PNG_HEAD = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def size_of_file(file: Path) -> tuple[int, int]:
    """Width and height in px; (0, 0) where the file is gone or is no picture."""
    try:
        with file.open("rb") as opened:
            head = opened.read(len(_PNG_HEAD) + 8)
        if head.startswith(_PNG_HEAD) and len(head) == len(_PNG_HEAD) + 8:
            return struct.unpack_from(">II", head, len(_PNG_HEAD))
        with Image.open(file, formats=FORMATS) as image:
            return image.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return 0, 0
