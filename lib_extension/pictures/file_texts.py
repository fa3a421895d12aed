"""How are texts put into a picture's file and taken out of it, with its pixels left as they are? By its chunks, never by encoding anew.

PNG keeps them in text chunks; JPEG and WEBP keep one, the infotext ("parameters"), in EXIF's user comment, as the WebUI does.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from PIL import Image

from lib_extension.spec.errors import BadFile, TooLarge

PARAMETERS = "parameters"
LARGEST_TEXT = 64 * 2**20  # bytes of all texts of a picture, unpacked

_PNG = b"\x89PNG\r\n\x1a\n"
_PIECE = 900_000  # Pillow refuses pictures with a packed text of more than 2**20 bytes; a longer one is split over chunks of one name
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_EXIF_HEAD = b"Exif\0\0"
_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_VP8X_EXIF, _VP8X_XMP, _VP8X_ALPHA = 0x08, 0x04, 0x10

Kind = Literal["PNG", "JPEG", "WEBP", ""]


def kind_of(data: bytes) -> Kind:
    """What kind of picture file it is, by how it begins; '' for others."""
    if data.startswith(_PNG):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    return "WEBP" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


def png_texts(data: bytes) -> dict[str, str]:
    """Every text of a PNG file by its name. BadFile where it is cut off, TooLarge where the texts unpack to more than is sensible."""
    found: dict[str, str] = {}
    left = LARGEST_TEXT
    for kind, content in _png_chunks(data):
        if kind in _TEXTS:
            name, text = _read_text(kind, content, left)
            left -= len(text)
            found[name] = found.get(name, "") + text
    return found


def with_png_texts(data: bytes, texts: Mapping[str, str]) -> bytes:
    """The file with these texts in place of those of the same names."""
    kept = [(kind, content) for kind, content in _png_chunks(data) if not (kind in _TEXTS and _name(content) in texts)]
    written = [chunk for name, text in texts.items() for chunk in _write_text(name, text)]
    return _png(kept[:1] + written + kept[1:])  # before the pixels, where readers look first


def without_texts(data: bytes) -> bytes:
    """The file without texts, EXIF and times: nothing says how, when or by what it was made. Other kinds of files stay as they are."""
    kind = kind_of(data)
    if kind == "PNG":
        return _png([chunk for chunk in _png_chunks(data) if chunk[0] not in (*_TEXTS, b"eXIf", b"tIME")])
    if kind == "JPEG":
        head, rest = _jpeg_parts(data)
        return b"\xff\xd8" + b"".join(part for part in head if part[1] not in (0xE1, 0xED, 0xFE)) + rest
    if kind == "WEBP":
        return _webp([(name, content) for name, content in _webp_chunks(data) if name not in (b"EXIF", b"XMP ")], exif=False)
    return data


def with_infotext(data: bytes, infotext: str) -> bytes:
    """A PNG, JPEG or WEBP file with this infotext in place of the one that it has."""
    kind = kind_of(data)
    if kind == "PNG":
        return with_png_texts(data, {PARAMETERS: infotext})
    if kind == "JPEG":
        head, rest = _jpeg_parts(data)
        exif = _EXIF_HEAD + _exif(data, infotext)
        if len(exif) > 0xFFFD:
            raise TooLarge(f"An infotext of {len(infotext):,} characters does not fit into a JPEG file.")
        segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
        kept = [part for part in head if not part[4:].startswith(_EXIF_HEAD)]
        jfif = [part for part in kept if part[1] == 0xE0]
        return b"\xff\xd8" + b"".join(jfif) + segment + b"".join(part for part in kept if part[1] != 0xE0) + rest
    assert kind == "WEBP", "callers ask kind_of first"
    chunks = [(name, content) for name, content in _webp_chunks(data) if name != b"EXIF"]
    return _webp([*chunks, (b"EXIF", _exif(data, infotext))], exif=True)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = len(_PNG)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        content = data[position + 8 : position + 8 + length]
        if len(content) < length:
            break
        yield kind, content
        if kind == b"IEND":
            return
        position += 12 + length
    raise BadFile("The PNG file is cut off.")


def _png(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    parts = [_PNG]
    for kind, content in chunks:
        parts += [struct.pack(">I", len(content)), kind, content, struct.pack(">I", zlib.crc32(kind + content))]
    return b"".join(parts)


def _name(content: bytes) -> str:
    return content.split(b"\0", 1)[0].decode("latin-1")


def _read_text(kind: bytes, content: bytes, most: int) -> tuple[str, str]:
    name, _, rest = content.partition(b"\0")
    if kind == b"tEXt":
        text = rest.decode("latin-1")
    elif kind == b"zTXt":
        text = _unpack(rest[1:], most).decode("latin-1")
    else:
        packed, rest = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]  # after language and translated name
        text = (_unpack(rest, most) if packed else rest).decode("utf-8", "replace")
    return name.decode("latin-1"), text


def _unpack(packed: bytes, most: int) -> bytes:
    opened = zlib.decompressobj()
    try:
        data = opened.decompress(packed, most)
    except zlib.error as error:
        raise BadFile("A text in the PNG file is damaged.") from error
    if opened.unconsumed_tail:
        raise TooLarge(f"The texts in the PNG file are larger than {LARGEST_TEXT // 2**20} MB.")
    return data


def _write_text(name: str, text: str) -> Iterator[tuple[bytes, bytes]]:
    """As Pillow and the WebUI write it where it is short; packed otherwise."""
    keyword = name.encode("latin-1")
    data = text.encode("utf-8", "replace")
    is_plain = len(data) == len(text)
    if name == PARAMETERS:
        yield (b"tEXt", keyword + b"\0" + data) if is_plain else (b"iTXt", keyword + b"\0\0\0\0\0" + data)
        return
    for start in range(0, len(text), _PIECE):
        piece = text[start : start + _PIECE].encode("utf-8", "replace")
        head = keyword + b"\0\0" if is_plain else keyword + b"\0\1\0\0\0"
        yield b"zTXt" if is_plain else b"iTXt", head + zlib.compress(piece, 9)


def _jpeg_parts(data: bytes) -> tuple[list[bytes], bytes]:
    """The segments before the pixels, each with its marker, and the rest."""
    parts, position = [], 2
    while position + 4 <= len(data) and data[position] == 0xFF and (0xE0 <= data[position + 1] <= 0xEF or data[position + 1] == 0xFE):
        end = position + 2 + struct.unpack_from(">H", data, position + 2)[0]
        if end > len(data):
            raise BadFile("The JPEG file is cut off.")
        parts.append(data[position:end])
        position = end
    return parts, data[position:]


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 12
    while position + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, position)
        content = data[position + 8 : position + 8 + length]
        if len(content) < length:
            raise BadFile("The WEBP file is cut off.")
        yield name, content
        position += 8 + length + length % 2


def _webp(chunks: list[tuple[bytes, bytes]], exif: bool) -> bytes:
    """A WEBP file of these chunks; the head that extra chunks need says which of them there are."""
    names = [name for name, _ in chunks]
    if b"VP8X" in names:
        flags = chunks[0][1][0] & ~(_VP8X_EXIF | (0 if b"XMP " in names else _VP8X_XMP))
        chunks = [(b"VP8X", bytes([flags | (_VP8X_EXIF if exif else 0)]) + chunks[0][1][1:]), *chunks[1:]]
    elif exif:
        chunks = [(b"VP8X", _vp8x_head(chunks)), *chunks]
    body = b"".join(name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2) for name, content in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _vp8x_head(chunks: list[tuple[bytes, bytes]]) -> bytes:
    with Image.open(io.BytesIO(_webp(chunks, exif=False)), formats=["WEBP"]) as image:
        (width, height), alpha = image.size, image.mode == "RGBA"
    flags = _VP8X_EXIF | (_VP8X_ALPHA if alpha else 0)
    return struct.pack("<I", flags) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]


def _exif(data: bytes, infotext: str) -> bytes:
    """The file's EXIF, as it is but for the user comment; without the head that JPEG puts before it."""
    with Image.open(io.BytesIO(data), formats=["JPEG", "WEBP"]) as image:
        exif = image.getexif()
    comment = b"UNICODE\0" + infotext.encode("utf-16-be", "surrogatepass")
    exif[_EXIF_IFD] = {**exif.get_ifd(_EXIF_IFD), _USER_COMMENT: comment}
    return exif.tobytes().removeprefix(_EXIF_HEAD)
