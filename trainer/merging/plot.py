"""How is a bar chart drawn as PNG without any library for it?"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

_BAR, _GAP, _TALL, _EDGE = 22, 6, 180, 34  # pixels
_WHITE, _INK, _FILL, _LINE = b"\xff\xff\xff", b"\x30\x30\x38", b"\x4f\x7c\xac", b"\xdd\xdd\xe2"
_GLYPHS = {  # 3 × 5 pixels, a row of three bits each
    "0": 0o75557,
    "1": 0o26227,
    "2": 0o71747,
    "3": 0o71717,
    "4": 0o55711,
    "5": 0o74717,
    "6": 0o74757,
    "7": 0o71122,
    "8": 0o75757,
    "9": 0o75717,
    "A": 0o25755,
    "B": 0o65656,
    "E": 0o74647,
    "I": 0o72227,
    "M": 0o57755,
    "N": 0o65555,
    "O": 0o75557,
    "S": 0o74717,
    "T": 0o72222,
    "U": 0o55557,
    ".": 0o00002,
    "-": 0o00700,
    "e": 0o02762,
}


class _Canvas:
    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._rows = [bytearray(_WHITE * width) for _ in range(height)]

    def box(self, left: int, top: int, width: int, height: int, colour: bytes) -> None:
        for row in self._rows[max(0, top) : top + height]:
            row[3 * left : 3 * (left + width)] = colour * width

    def text(self, left: int, top: int, text: str) -> None:
        for place, letter in enumerate(text):
            bits = _GLYPHS.get(letter, 0)
            for pixel in range(15):
                if bits >> (14 - pixel) & 1:
                    self.box(left + 4 * place + pixel % 3, top + pixel // 3, 1, 1, _INK)

    def png(self) -> bytes:
        data = zlib.compress(b"".join(b"\0" + bytes(row) for row in self._rows), 9)
        size = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in ((b"IHDR", size), (b"IDAT", data), (b"IEND", b"")))


def bars(values: Mapping[str, float]) -> bytes:
    """A PNG with a bar for each value from 0 up, its name below, and the largest value at the top."""
    canvas = _Canvas(_EDGE + len(values) * (_BAR + _GAP) + _GAP, _TALL + 30)
    largest = max(values.values(), default=0.0) or 1.0
    for part in range(5):
        top = 10 + _TALL * part // 4
        canvas.box(_EDGE, top, canvas.width - _EDGE, 1, _LINE)
        canvas.text(2, top - 2, f"{largest * (4 - part) / 4:.2g}"[:8])
    for place, (name, value) in enumerate(values.items()):
        left, tall = _EDGE + _GAP + place * (_BAR + _GAP), round(_TALL * value / largest)
        canvas.box(left, 10 + _TALL - tall, _BAR, tall, _FILL)
        canvas.text(left + (_BAR - 4 * len(name)) // 2, _TALL + 16, name)
    return canvas.png()


def write_bars(path: Path, values: Mapping[str, float]) -> None:
    """The chart as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bars(values))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
