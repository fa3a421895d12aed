"""Which mistakes do folders of pictures have, and how are they told: counted, by name, all at once?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from trainer.data.example import Problem

_MOST_NAMES = 10


@dataclass(frozen=True)
class Mistake:
    """A kind of mistake; `what` goes on from "3 pictures:". A fatal one of a picture may be lived with by leaving the picture out."""

    what: str
    fatal: bool = False
    of_picture: bool = True

    def at(self, file: str, detail: str = "") -> Problem:
        return Problem(file, self.what, self.fatal, detail)


EMPTY_FILE = Mistake("the file is empty", fatal=True)
BROKEN = Mistake("cannot be read as a picture: damaged, cut off, or none", fatal=True)
TOO_LARGE = Mistake("has more than 89 million pixels; make it smaller", fatal=True)
NOT_READABLE = Mistake("cannot be opened", fatal=True)
ODD_PIXELS = Mistake("has pixels of a kind that has no sure brightness; save it with 8 bits a colour", fatal=True)
UNKNOWN_KIND = Mistake("is of a kind that cannot be read, whatever it is called; save it as PNG, JPEG or WEBP", fatal=True)
TOO_SMALL = Mistake("is smaller than the smallest bucket; set data.upscale, or take a larger picture", fatal=True)
TRANSPARENT = Mistake("is transparent everywhere, and alpha is its mask: nothing could be learnt", fatal=True)
BLACK_MASK = Mistake("has a mask that is black everywhere: nothing could be learnt", fatal=True)
BAD_MASK = Mistake("has a mask that cannot be read as a picture", fatal=True)
ODD_MASK = Mistake("has a mask of another shape than itself", fatal=True)
NOT_TEXT = Mistake("has a caption file that is no text", fatal=True)

FEW_PIXELS = Mistake("is much smaller than the resolution, and is trained on in a smaller size")
CUT_A_LOT = Mistake("loses more than a quarter of itself by cropping; a larger data.bucket_max or a smaller bucket_step loses less")
MISLABELLED = Mistake("is of another kind than its name says; it is read as what it is")
ANIMATED = Mistake("is animated; the first frame is taken")
CMYK = Mistake("has colours for printing (CMYK), which may look different as RGB")
LAB = Mistake("has Lab colours, which are turned into RGB")
PALETTE = Mistake("has a palette of at most 256 colours")
GREY = Mistake("has grey values only, no colours")
BLACK_AND_WHITE = Mistake("has black and white only, no grey values")
SIXTEEN_BITS = Mistake("has 16 bits a colour, which are rounded to 8")
NO_CAPTION = Mistake("has no caption")
EMPTY_CAPTION = Mistake("has an empty caption")
NOT_UTF8 = Mistake("has a caption that is not UTF-8; it was read as Windows-1252: look whether that is right, and save it as UTF-8")
TWO_CAPTIONS = Mistake("has two caption files that differ; the first ending's counts")
SAME_NAME = Mistake("has another picture of the same name beside it, with which it shares caption and mask")
SAME_PICTURE = Mistake("is the same picture as another")
IN_BOTH = Mistake("is trained on, and is among the pictures that are kept apart for validation")
NO_MASK = Mistake("has no mask; everything in it is learnt")
NO_ALPHA = Mistake("has no transparency, and alpha is to be its mask; everything in it is learnt")
OTHER_KIND = Mistake("is of a kind that cannot be read; save it as PNG, JPEG or WEBP")
LONELY_CAPTION = Mistake("is the caption of no picture")

NO_FOLDER = Mistake("there is no such folder", fatal=True, of_picture=False)
NO_PICTURES = Mistake("holds no pictures", fatal=True, of_picture=False)
ONLY_SUBFOLDERS = Mistake(
    "holds no pictures, but folders with some: set the concept's subfolders, or name one of them", fatal=True, of_picture=False
)
NOTHING_LEFT = Mistake("has no picture left that can be used", fatal=True, of_picture=False)
NO_CAPTIONS = Mistake("has no captions at all: write some, or set trigger or fallback", fatal=True, of_picture=False)
BAD_METADATA = Mistake("the file of captions cannot be read", fatal=True, of_picture=False)
UNKNOWN_METADATA = Mistake("a file of captions names pictures that are not there", of_picture=False)
NO_MASK_FOLDER = Mistake("there is no such folder of masks", fatal=True, of_picture=False)
CACHE_INSIDE = Mistake("holds the cache folder; set data.cache_folder to another place", fatal=True, of_picture=False)

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Mistake))
BY_TEXT = {mistake.what: mistake for mistake in ALL}


def can_be_left_out(problem: Problem) -> bool:
    """Whether training can do without the picture that it is about."""
    return problem.fatal and BY_TEXT[problem.what].of_picture


def lines(problems: Iterable[Problem]) -> list[str]:
    """One line for each kind of mistake: how many, what, and which. Fatal ones first."""
    places = {mistake.what: place for place, mistake in enumerate(ALL)}
    ordered = sorted(problems, key=lambda problem: (not problem.fatal, places[problem.what], problem.file))
    grouped = [list(group) for _, group in groupby(ordered, key=lambda problem: (problem.fatal, problem.what))]
    return [_line(group) for group in grouped]


def _line(group: Sequence[Problem]) -> str:
    names = [f"{one.file} ({one.detail})" if one.detail else one.file for one in group[:_MOST_NAMES]]
    more = f" and {len(group) - _MOST_NAMES} more" if len(group) > _MOST_NAMES else ""
    return f"{len(group)} × {group[0].what}: {', '.join(names)}{more}"
