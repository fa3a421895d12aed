"""Which captions does a filter mean?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from lib_extension.captions.files import Captioned
from lib_extension.captions.patterns import fitting
from lib_extension.captions.tags import tags_of
from lib_extension.spec.captions import CaptionFilter
from lib_extension.spec.errors import BadRequest

Condition = Callable[[Captioned], bool]


@dataclass(frozen=True)
class Known:
    """What is not told by captions, where it was asked for: names of pictures. None: nobody looked."""

    similar: Collection[str] | None = None
    contradicted: Collection[str] | None = None


def matching(captions: Iterable[Captioned], wanted: CaptionFilter, known: Known = Known()) -> list[Captioned]:
    """Those that the filter means, in their order. One whose caption could not be read is never meant. Raises BadRequest for what nobody
    looked at."""
    captions = list(captions)
    conditions = _conditions(wanted, known, captions)
    names = set(wanted.names)
    holds = all if wanted.match == "all" else any
    return [
        one
        for one in captions
        if not one.problem and (not names or one.name in names) and (not conditions or holds(condition(one) for condition in conditions))
    ]


def _conditions(wanted: CaptionFilter, known: Known, captions: Sequence[Captioned]) -> Sequence[Condition]:
    conditions: list[Condition] = [lambda one, tag=tag: tag in one.tags for tag in _clean(wanted.has)]
    conditions += [lambda one, tag=tag: tag not in one.tags for tag in _clean(wanted.lacks)]
    if wanted.text:
        text = wanted.text.casefold()
        conditions.append(lambda one: text in one.text.casefold())
    if wanted.pattern:
        fits = fitting(wanted.pattern, [one.text for one in captions])
        found = {one.name for one, is_so in zip(captions, fits, strict=True) if is_so}
        conditions.append(lambda one: one.name in found)
    if wanted.similar:
        conditions.append(_among(known.similar, "similar"))
    if wanted.contradicted:
        conditions.append(_among(known.contradicted, "contradicted"))
    return conditions


def _among(names: Collection[str] | None, what: str) -> Condition:
    if names is None:
        raise BadRequest(f"{what} cannot be asked for here, where only captions are looked at. Leave it out.")
    return lambda one: one.name in names


def _clean(tags: Iterable[str]) -> list[str]:
    return [tag for text in tags for tag in tags_of(text)]
