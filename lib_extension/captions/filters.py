"""Which captions does a filter mean?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from lib_extension.captions.files import Captioned
from lib_extension.captions.tags import tags_of
from lib_extension.spec.captions import CaptionFilter, compiled

Condition = Callable[[Captioned, set[str]], bool]


def matching(captions: Iterable[Captioned], wanted: CaptionFilter) -> list[Captioned]:
    """Those that the filter means, in their order. One whose caption could not be read is never meant."""
    conditions = _conditions(wanted)
    names = set(wanted.names)
    holds = all if wanted.match == "all" else any
    found = []
    for one in captions:
        if one.problem or (names and one.name not in names):
            continue
        tags = set(tags_of(one.text))
        if not conditions or holds(condition(one, tags) for condition in conditions):
            found.append(one)
    return found


def _conditions(wanted: CaptionFilter) -> Sequence[Condition]:
    conditions: list[Condition] = [lambda _, tags, tag=tag: tag in tags for tag in _clean(wanted.has)]
    conditions += [lambda _, tags, tag=tag: tag not in tags for tag in _clean(wanted.lacks)]
    if wanted.text:
        conditions.append(lambda one, _: wanted.text.casefold() in one.text.casefold())
    if wanted.pattern:
        pattern = compiled(wanted.pattern, "pattern")
        conditions.append(lambda one, _: pattern.search(one.text) is not None)
    return conditions


def _clean(tags: Iterable[str]) -> list[str]:
    return [tag for text in tags for tag in tags_of(text)]
