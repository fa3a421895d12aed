"""How many tokens does a text have for CLIP's text encoders, counted without any library?

Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909) with the merges that all of Stable Diffusion's text encoders share. Texts
that ftfy would repair before (mojibake) may differ by a token.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

CHUNK = 75  # tokens that an encoder reads at once, without start and end
LONGEST = 20_000  # characters that are looked at; more are hundreds of chunks whatever they are

_MERGES = Path(__file__).parents[1] / "models" / "tokenizer" / "merges.txt"
_CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")
_STRAIGHT = str.maketrans("‘’“”", "''\"\"")
_LONGEST_WORD = 256  # bytes; a longer one is cut, as merging takes time by its square


@lru_cache(maxsize=4096)
def count_tokens(text: str) -> int:
    """Tokens of the text, without start and end."""
    text = unicodedata.normalize("NFC", text[:LONGEST].translate(_STRAIGHT)).lower()
    return sum(_tokens_of(word) for part in text.split() for word in _words(part))


def _words(part: str) -> Iterator[str]:
    """What is encoded by itself: runs of letters, single digits, runs of other signs, and English contractions."""
    start = 0
    while start < len(part):
        end = start + 1
        if contraction := next((each for each in _CONTRACTIONS if part.startswith(each, start)), ""):
            end = start + len(contraction)
        elif (kind := _kind(part[start])) != "N":
            while end < len(part) and _kind(part[end]) == kind:
                end += 1
        yield part[start:end]
        start = end


def _kind(sign: str) -> str:
    """ "L" for letters, "N" for digits and other numbers, "" for all other signs."""
    kind = unicodedata.category(sign)[0]
    return kind if kind in "LN" else ""


@lru_cache(maxsize=16384)
def _tokens_of(word: str) -> int:
    """Merges the pair of the lowest rank until none is left."""
    content = word.encode("utf-8", "replace")
    if len(content) > _LONGEST_WORD:
        return sum(_merged(content[i : i + _LONGEST_WORD]) for i in range(0, len(content), _LONGEST_WORD))
    return _merged(content)


def _merged(content: bytes) -> int:
    ranks = _ranks()
    letters = _letters()
    pieces = [letters[byte] for byte in content]
    pieces[-1] += "</w>"
    while len(pieces) > 1:
        rank, place = min((ranks.get(pair, len(ranks)), i) for i, pair in enumerate(pairwise(pieces)))
        if rank == len(ranks):
            break
        first, second = pieces[place : place + 2]
        joined: list[str] = []
        for piece in pieces:
            if joined and joined[-1] == first and piece == second:
                joined[-1] = first + second
            else:
                joined.append(piece)
        pieces = joined
    return len(pieces)


@lru_cache(maxsize=1)
def _ranks() -> dict[tuple[str, str], int]:
    """Each merge's place in the file."""
    lines = _MERGES.read_text("utf-8").splitlines()[1:]  # the first tells the version
    pairs = (line.split(" ") for line in lines if line)
    return {(first, second): rank for rank, (first, second) in enumerate(pairs)}


@lru_cache(maxsize=1)
def _letters() -> dict[int, str]:
    """A printable letter for each byte, as GPT-2 chose them: itself where it is one, else one from 256 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + place) for place, byte in enumerate(others)}
