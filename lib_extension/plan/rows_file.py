"""How do rows come from a file? CSV as spreadsheets write it, or a JSON list of objects."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lib_extension.plan.plain_data import decode, read_json
from lib_extension.plan.rows import MOST_ITEMS
from lib_extension.spec.errors import BadFile, TooLarge

MOST_BYTES = 20_000_000
MOST_COLUMNS = 1000
LONGEST_CELL = 100_000  # characters

_DELIMITERS = ",;\t|"


def read_rows(data: bytes, name: str) -> tuple[dict[str, Any], ...]:
    """The rows in a file; its name says which kind it is.

    A cell of a CSV file is a number where a number is written exactly as it says (20, 0.4, but not 007 or 0.40), else text. In a column
    whose name is a path, any number is one, as are true and false, and an empty cell leaves the field as the recipe has it.
    """
    what = f'The rows file "{name}"'
    if len(data) > MOST_BYTES:
        raise TooLarge(f"{what} has {len(data):,} bytes; {MOST_BYTES:,} is the most.")
    suffix = name.lower().rpartition(".")[2]
    if suffix not in ("csv", "tsv", "json"):
        raise BadFile(f"{what} is no .csv, .tsv or .json file.")
    rows = _json_rows(data, what) if suffix == "json" else tuple(_csv_rows(decode(data, what), what))
    if len(rows) > MOST_ITEMS:
        raise TooLarge(f"{what} has {len(rows):,} rows; {MOST_ITEMS:,} is the most.")
    return rows


def _json_rows(data: bytes, what: str) -> tuple[dict[str, Any], ...]:
    rows = read_json(data, what)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadFile(f'{what} must be a list of objects, such as [{{"place": "on a beach"}}].')
    return tuple(rows)


def _csv_rows(text: str, what: str) -> Iterator[dict[str, Any]]:
    lines = text.splitlines(keepends=True)
    delimiter = None
    if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip()) == 5:  # a spreadsheet's own note
        delimiter = lines.pop(0)[4]
    records = _records(lines, delimiter or _delimiter(lines), what)
    names = [name.strip() for name in next(records, [])]
    if not any(names):
        raise BadFile(f"{what} has no names in its first line; each column needs one.")
    while not names[-1]:
        names.pop()
    _check_names(names, what)
    for number, cells in enumerate(records, 2):
        if any(cell.strip() for cell in cells):
            yield dict(_row(names, cells, number, what))


def _records(lines: Iterable[str], delimiter: str, what: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != "\t", strict=True)
    except csv.Error as error:
        raise BadFile(f"{what} is not CSV: {error}. A quote inside a quoted cell is written twice.") from error


def _delimiter(lines: Sequence[str]) -> str:
    """What stands between the names of the first line most often."""
    head = lines[0] if lines else ""
    unquoted = "".join(head.split('"')[::2])
    return max(_DELIMITERS, key=unquoted.count)


def _check_names(names: Sequence[str], what: str) -> None:
    if len(names) > MOST_COLUMNS:
        raise TooLarge(f"{what} has {len(names):,} columns; {MOST_COLUMNS:,} is the most.")
    for index, name in enumerate(names):
        if not name or name in names[:index]:
            raise BadFile(f"{what}: column {index + 1} {f'has the name {name!r} of an earlier one' if name else 'has no name'}.")


def _row(names: Sequence[str], cells: Sequence[str], number: int, what: str) -> Iterator[tuple[str, Any]]:
    if any(cell.strip() for cell in cells[len(names) :]):
        raise BadFile(
            f"{what}: record {number} has {len(cells)} cells for {len(names)} names. A cell with the delimiter in it needs quotes."
        )
    for name, cell in zip(names, cells):  # noqa: B905 (a record may be shorter: spreadsheets leave out empty cells at the end)
        if len(cell) > LONGEST_CELL:
            raise TooLarge(f"{what}: {name!r} in record {number} has {len(cell):,} characters; {LONGEST_CELL:,} is the most.")
        if "." not in name or cell.strip():
            yield name, read_cell(name, cell)


def read_cell(name: str, cell: str) -> str | int | float | bool:
    """What a cell's text stands for: in the column of a path a number is read however it is written, and so are true and false."""
    return _scalar(cell.strip()) if "." in name else _as_written(cell)


def _as_written(cell: str) -> str | int | float:
    """The number that the cell is, if its text can be made of it again."""
    value = _scalar(cell)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and str(value) == cell else cell


def _scalar(cell: str) -> Any:
    """A cell as a JSON number, true or false, else as text."""
    try:
        value = json.loads(cell.lower()) if len(cell) < 20 and cell.isascii() else cell
    except (ValueError, RecursionError):
        return cell
    return value if isinstance(value, (bool, int, float)) and value == value and abs(value) != float("inf") else cell
