"""Which items does a recipe make? Its rows, one item each, multiplied with its axes, over the values that its inputs have."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from lib_extension.plan.graph import Item
from lib_extension.spec.errors import BadRequest, TooLarge, near_miss
from lib_extension.spec.recipe import PICTURES, Input, Recipe

UNCONFIRMED_ITEMS = 10_000
MOST_ITEMS = 1_000_000  # in one run, confirmed or not: each is held in memory


def make_items(recipe: Recipe, given: Mapping[str, Any], confirm: bool = False) -> tuple[Item, ...]:
    """Every item, rows outermost and the last axis fastest. BadRequest names the input, TooLarge states the number of items."""
    check_number(recipe, confirm)
    _refuse_without_effect(recipe, given)
    inputs = input_values(recipe, given)
    rows = recipe.rows or ({},)
    combinations = itertools.product(*recipe.axes.values())
    pairs = itertools.product(enumerate(rows, 1), combinations)
    return tuple(_item(recipe, inputs, index, number, row, values) for index, ((number, row), values) in enumerate(pairs))


def check_number(recipe: Recipe, confirm: bool) -> None:
    """Refuse more items than is likely meant, before one of them is made."""
    if recipe.rows_file:
        raise BadRequest(f'The rows in "{recipe.rows_file}" have not been read: a recipe without a folder needs them in "rows".')
    number = max(1, len(recipe.rows)) * math.prod(len(values) for values in recipe.axes.values())
    factors = [f"{len(recipe.rows):,} rows"] if recipe.rows else []
    factors += [f"{len(values):,} of {name}" for name, values in recipe.axes.items()]
    told = f'The recipe "{recipe.name}" makes {number:,} items ({" × ".join(factors)})'
    if number > MOST_ITEMS:
        raise TooLarge(f"{told}; {MOST_ITEMS:,} is the most in one run. Split the rows or the axes.")
    if number > UNCONFIRMED_ITEMS and not confirm:
        how = "say so with confirm (on the command line --yes), or split the rows or the axes"
        raise TooLarge(f"{told}. More than {UNCONFIRMED_ITEMS:,} must be confirmed: {how}.")


def input_values(recipe: Recipe, given: Mapping[str, Any]) -> dict[str, Any]:
    """Each input's value, as given or its default, in its type; None where it has none (yet: a row may still give it).

    An empty text for an optional input is none, also where there is a default: a LoRA that is not wanted.
    """
    for name in given:
        if name not in recipe.inputs:
            raise BadRequest(f'The recipe "{recipe.name}" has no input "{name}".{near_miss(name, recipe.inputs)}')
    values = {}
    for name, declared in recipe.inputs.items():
        asked = given.get(name)
        value = read_input(name, declared, asked)
        is_unwanted = declared.optional and asked == ""
        values[name] = read_input(name, declared, declared.default) if value is None and not is_unwanted else value
    return values


def _refuse_without_effect(recipe: Recipe, given: Mapping[str, Any]) -> None:
    """Refuse values that no item would have: the pictures would be others than those that were asked for."""
    for name, declared in recipe.inputs.items():
        if _is_nothing(declared, given.get(name)):
            continue
        if name in recipe.axes:
            raise BadRequest(f'"{name}" is given, but it is an axis of the recipe, which comes before it. Replace the axis.')
        if recipe.rows and not any(_is_nothing(declared, row.get(name)) for row in recipe.rows):
            raise BadRequest(f'"{name}" is given, but every row has its own. Replace the rows.')


def _is_nothing(declared: Input, value: Any) -> bool:
    """Whether it stands for no value: an empty cell of a table, where no text is meant."""
    return value is None or (value == "" and declared.type != "text")


def read_input(name: str, declared: Input, value: Any, where: str = "") -> Any:
    """The value in the input's type, or None where it is None or an empty text that stands for nothing. `where` begins messages."""
    if _is_nothing(declared, value):
        return None
    told = f'{where}The input "{name}"'
    if declared.type == "number":
        return _read_number(told, declared, value)
    if declared.type == "text" and isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)  # a row from JSON or YAML: {year: 1950}
    if not isinstance(value, str):
        raise BadRequest(f"{told} is {value!r}; it must be {'a file' if declared.type in PICTURES else 'text'}.")
    if declared.type == "choice" and value not in declared.choices:
        raise BadRequest(f"{told} is {value!r}; it must be one of {', '.join(declared.choices)}.{near_miss(value, declared.choices)}")
    return value


def _read_number(told: str, declared: Input, value: Any) -> int | float:
    try:
        number = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise BadRequest(f"{told} is {value!r}; it must be a number.")
    for bound, word, wrong in (
        (declared.minimum, "least", number < (declared.minimum or 0)),
        (declared.maximum, "most", number > (declared.maximum or 0)),
    ):
        if bound is not None and wrong:
            raise BadRequest(f"{told} is {number:g}; it must be at {word} {bound:g}.")
    return value if isinstance(value, int) else int(number) if number.is_integer() else number


def _item(recipe: Recipe, inputs: Mapping[str, Any], index: int, number: int, row: Mapping[str, Any], axes: tuple[Any, ...]) -> Item:
    values, paths = dict(inputs), {}
    for name, value in _entries(recipe, row, axes):
        if "." in name:
            paths[name] = value
        elif name in recipe.inputs:
            read = read_input(name, recipe.inputs[name], value, f"Row {number}: " if name in row else f"The axis {name}: ")
            values[name] = values[name] if read is None else read
        else:
            values[name] = value
    for name, value in values.items():
        if value is None and name in recipe.inputs and not recipe.inputs[name].optional:
            raise BadRequest(f'The input "{name}" needs a value{f" in row {number}" if recipe.rows else ""}; it has no default.')
    return Item(index, values, paths)


def _entries(recipe: Recipe, row: Mapping[str, Any], axes: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """A row's entries, then the axes': where both name one thing, the axis holds."""
    yield from row.items()
    yield from zip(recipe.axes, axes, strict=True)
