"""What is the text of a picture at one turn? Pure: the same caption, settings and turn give the same text."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace

from lib_extension.spec.training.data import CaptionSettings
from trainer.data.chance import Turn
from trainer.data.example import Example

_WILDCARD = re.compile(r"\{([^{}]*)\}")


def caption_at(example: Example, turn: Turn) -> str:
    """The text for the model: with trigger words, shuffled, with tags or all of it left out."""
    settings = example.concept.captions
    if settings.drop_every and (turn.epoch + 1) % settings.drop_every == 0:
        return ""
    if settings.dropout and turn.dice("caption dropout").random() < settings.dropout:
        return ""
    if not settings.is_random:
        return _plain(example)
    if settings.variants:
        variant = turn.dice("caption variant").randrange(settings.variants)
        turn = replace(turn, epoch=0, repeat=variant)
    return _version(example, turn.dice("caption"))


def possible_captions(example: Example, seed: int) -> Iterator[str]:
    """Every text that caption_at gives, where they can be counted: what must be encoded before training."""
    settings = example.concept.captions
    assert settings.variants or not settings.is_random
    if settings.drop_every or settings.dropout:
        yield ""
    if settings.is_random:
        for variant in range(settings.variants):
            yield _version(example, Turn(seed, 0, example.name, variant).dice("caption"))
    else:
        yield _plain(example)


def plain_caption(example: Example) -> str:
    """Without chance: for validation, and for what is said of the data."""
    settings = replace(example.concept.captions, shuffle=False, tag_dropout=0.0, wildcards=False)
    lines = "first" if settings.lines == "random" else settings.lines
    return _composed(example, replace(settings, lines=lines), random.Random(0))


def tags_of(caption: str, settings: CaptionSettings) -> list[str]:
    """What stands between separators, without empty ones."""
    return [tag for part in caption.split(settings.separator) if (tag := part.strip())]


def _plain(example: Example) -> str:
    return _composed(example, example.concept.captions, random.Random(0))


def _version(example: Example, dice: random.Random) -> str:
    return _composed(example, example.concept.captions, dice)


def _composed(example: Example, settings: CaptionSettings, dice: random.Random) -> str:
    text = " ".join(filter(None, (settings.prefix, _line(example.caption, settings, dice), settings.suffix)))
    if settings.wildcards:
        text = _WILDCARD.sub(lambda match: dice.choice(match[1].split("|")), text)
    trigger = example.concept.trigger
    text = _arranged(text, settings, dice, trigger)
    if not trigger or _holds(text, trigger):
        return text
    return f"{trigger}{settings.separator} {text}" if text else trigger


def _line(caption: str, settings: CaptionSettings, dice: random.Random) -> str:
    lines = [stripped for line in caption.splitlines() if (stripped := line.strip())]
    if len(lines) < 2:
        return lines[0] if lines else ""
    if settings.lines == "joined":
        return " ".join(lines)
    return dice.choice(lines) if settings.lines == "random" else lines[0]


def _arranged(text: str, settings: CaptionSettings, dice: random.Random, trigger: str) -> str:
    """Kept tags, then the others in another order and with some missing, then those kept at the end.

    The trigger is taken out where it is a tag that would be moved: it comes to the front.
    """
    separator, keep = settings.separator, settings.keep_separator
    front, middle, back = "", text, ""
    if keep and keep in text:
        front, middle, *rest = text.split(keep)
        back = rest[0] if rest else ""
    if not (settings.shuffle or settings.tag_dropout or settings.joined_separator or front or back):
        return text
    tags = tags_of(middle, settings)
    kept, free = (tags_of(front, settings), tags) if front else (tags[: settings.keep_tokens], tags[settings.keep_tokens :])
    if settings.shuffle or settings.tag_dropout:
        free = [tag for tag in free if tag != trigger]
    if settings.shuffle:
        dice.shuffle(free)
    if settings.tag_dropout:
        free = [tag for tag in free if dice.random() >= settings.tag_dropout]
    joined = f"{separator} ".join([*kept, *free, *tags_of(back, settings)])
    return joined.replace(settings.joined_separator, f"{separator} ") if settings.joined_separator else joined


def _holds(text: str, words: str) -> bool:
    """As whole words: "category" does not hold "cat"."""
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None
