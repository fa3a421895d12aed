"""Does a picture show what its prompt says? Asked of the tagger."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from lib_extension.formats.infotext import parse_infotext
from lib_extension.pictures.png import encode_base64
from lib_extension.scores.score_type import Measured, OneScore, ScoreGiven, ScoreWork, small
from lib_extension.spec.calls import ModelTags
from lib_extension.spec.settings import field

SAYS_NOTHING = 0.5


@dataclass(frozen=True, kw_only=True)
class TagsScore(OneScore):
    """The share of those words of the prompt that the tagger knows, which it also finds in the picture.

    A prompt in which the tagger knows no word says nothing: 0.5 for every picture.
    """

    kind: Literal["tags"]
    words: str = field("", label="Words", help="What should be seen; empty is the prompt in the picture's own infotext.", multiline=True)
    threshold: float = field(0.35, label="Threshold", minimum=0.01, maximum=1, step=0.05, help="How sure the tagger must be.")


def measure(score: TagsScore, given: ScoreGiven) -> ScoreWork:
    """Higher is better."""
    scores = []
    for picture in given.pictures:
        answer = yield ModelTags(image=encode_base64(small(picture.image)))
        tags = {str(name).replace("_", " ").lower(): float(sure) for name, sure in answer.facts.items()}
        wanted = known_words(score.words or parse_infotext(picture.infotext)["Prompt"], tags)
        found = [word for word in wanted if tags[word] >= score.threshold]
        scores.append(len(found) / len(wanted) if wanted else SAYS_NOTHING)
    return Measured(scores)


def known_words(prompt: str, known: Iterable[str]) -> list[str]:
    """Which of `known` stand in a prompt as whole words. The longest count: in "side view" a tag "view" does not."""
    text = _words(prompt)
    found = []
    for name in sorted(known, key=lambda name: (-len(name), name)):
        words = _words(name)
        if words:
            text, times = re.subn(rf"(?<![\w-]){re.escape(words)}(?![\w-])", "", text)
            found += [name] * (times > 0)
    return found


def _words(text: str) -> str:
    """Words and commas alone: without networks (<lora:name:1>), weights (:1.2) and brackets."""
    text = re.sub(r"<[^<>]*>", ",", text.lower().replace("_", " "))
    return " ".join(re.sub(r":[\d.]+|[^\w\s,'-]", " ", text).split())
