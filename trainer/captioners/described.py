"""What does a captioner say of a picture, and what is each of them asked?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from lib_extension.spec.errors import AtelierError


@dataclass(frozen=True)
class Described:
    """Tags, the most certain first, or a sentence, or both; or why there is neither."""

    tags: tuple[str, ...] = ()
    sentence: str = ""
    problem: str = ""
    end: AtelierError | None = None  # why nothing is gained by asking for other pictures


class Captioner(Protocol):
    """One kind of network, or a server, ready."""

    def describe(self, pictures: Sequence[Image.Image]) -> list[Described]:
        """Of each picture, upright and in any mode. A picture that it fails at has a problem; what would fail at all raises."""
        ...


def joined(all_described: Sequence[Described]) -> Described:
    """What several say of one picture, as one; with a problem where one of them has one."""
    tags = tuple(dict.fromkeys(tag for one in all_described for tag in one.tags))
    sentence = " ".join(one.sentence.strip() for one in all_described if one.sentence.strip())
    problem = "; ".join(one.problem for one in all_described if one.problem)
    return Described(tags, sentence, problem, next((one.end for one in all_described if one.end is not None), None))
