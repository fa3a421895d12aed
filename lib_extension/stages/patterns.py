"""How do labels and file names tell pictures apart? Patterns with names in braces: {place}-{stage}-{index}-{stages.refine.steps}.

A sheet or an export of a whole run is one for many items, so that the plan leaves such names to the stage, which has each picture's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lib_extension.spec.errors import BadRequest, near_miss

Labels = Mapping[str, Any]

OF_LABELS = ("stage", "index", "item")  # what every picture's labels tell besides its item's variables
PATTERN_NAMES = (*OF_LABELS, "variables", "number", "size", "seed", "width", "height")  # what a pattern may name besides variables

_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)\}")  # a variable, or the path of a field that rows or axes set
_LONGEST = 80  # characters of an item's text


def names_in_pattern(pattern: str) -> list[str]:
    """What it asks for, in order."""
    return _NAME.findall(pattern)


def fill_pattern(pattern: str, values: Labels) -> str:
    """The pattern with every {name} replaced. BadRequest for names that nothing has."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in values:
            raise BadRequest(f'The pattern "{pattern}" asks for {{{name}}}, which no picture has here.{near_miss(name, values)}')
        return "" if values[name] is None else str(values[name])

    return _NAME.sub(value, pattern)


def with_variables(labels: Sequence[Labels]) -> list[Labels]:
    """Each picture's labels and `variables`, a text that tells its item from the others.

    That is the variables whose values are not the same for all pictures; where there is a single item, all of its variables.
    """
    names = [name for name in dict.fromkeys(name for label in labels for name in label) if name not in OF_LABELS]
    differing = [name for name in names if len({str(label.get(name, "")) for label in labels}) > 1]
    return [{**label, "variables": _item_text(label, differing or names)} for label in labels]


def _item_text(label: Labels, names: Sequence[str]) -> str:
    values = [label.get(name) for name in names]
    text = ", ".join(str(value) for value in values if isinstance(value, (str, int, float)) and str(value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
