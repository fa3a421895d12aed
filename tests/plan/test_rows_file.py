"""Rows from CSV, as spreadsheets write it, and from JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extension.plan.rows_file import LONGEST_CELL, MOST_BYTES, MOST_COLUMNS, read_rows
from lib_extension.spec.errors import AtelierError, BadFile, TooLarge

ROWS = ({"drawing": "a.png", "place": "on a beach"}, {"drawing": "b.png", "place": "in a forest"})


@pytest.mark.parametrize(
    "data",
    [
        b"drawing,place\na.png,on a beach\nb.png,in a forest\n",
        b"\xef\xbb\xbfdrawing;place\r\na.png;on a beach\r\nb.png;in a forest",
        b"drawing\tplace\na.png\ton a beach\nb.png\tin a forest\n",
        b"drawing|place\na.png|on a beach\nb.png|in a forest\n",
        b"sep=;\ndrawing;place\na.png;on a beach\nb.png;in a forest\n",
        b'"drawing", "place"\n"a.png", "on a beach"\n"b.png", "in a forest"\n\n , \n',
        b"drawing,place,,\na.png,on a beach,,\nb.png,in a forest\n",
        "drawing,place\na.png,on a beach\nb.png,in a forest\n".encode("utf-16"),
    ],
)
def test_csv_as_programs_write_it(data: bytes):
    assert read_rows(data, "rows.csv") == ROWS


def test_cells_are_numbers_where_their_text_can_be_made_again():
    (row,) = read_rows(b"a,b,c,d,e,f,g,h\n20,0.4,007,0.40,1e3,true,,12345678901234567890123\n", "rows.csv")
    assert row == {"a": 20, "b": 0.4, "c": "007", "d": "0.40", "e": "1e3", "f": "true", "g": "", "h": "12345678901234567890123"}
    assert type(row["a"]) is int


def test_in_columns_of_paths_any_number_is_one_and_empty_cells_leave_the_field():
    data = b"stages.a.steps,stages.a.cfg_scale,stages.a.tiling,stages.a.vae,x\n20,0.40,TRUE,None,\n,,,,\n, 7 ,,x,y\n"
    assert read_rows(data, "rows.csv") == (
        {"stages.a.steps": 20, "stages.a.cfg_scale": 0.4, "stages.a.tiling": True, "stages.a.vae": "None", "x": ""},
        {"stages.a.cfg_scale": 7, "stages.a.vae": "x", "x": "y"},
    )


def test_quoted_cells_hold_delimiters_quotes_and_line_ends():
    data = b'place,n\n"a, ""big"" one\nby the sea",1\n'
    assert read_rows(data, "rows.csv") == ({"place": 'a, "big" one\nby the sea', "n": 1},)


def test_json_rows():
    assert read_rows(b'[{"a": 1, "b": ["x"]}, {}]', "rows.JSON") == ({"a": 1, "b": ["x"]}, {})


@pytest.mark.parametrize(
    ("data", "name", "error", "message"),
    [
        (b"", "rows.csv", BadFile, 'The rows file "rows.csv" has no names in its first line'),
        (b"a,b,a\n", "r.csv", BadFile, "column 3 has the name 'a' of an earlier one"),
        (b"a,,b\n1,2,3", "r.csv", BadFile, "column 2 has no name"),
        (b"a,b\n1,2,3\n", "r.csv", BadFile, "record 2 has 3 cells for 2 names"),
        (b'a,b\n"x"y,2\n', "r.csv", BadFile, "is not CSV: "),
        (b'a,b\n"x,2\n', "r.csv", BadFile, "is not CSV: unexpected end of data"),
        (b"a\n\xff\xe4\n", "r.csv", BadFile, "is not UTF-8 text"),
        (b"a\nx\0y\n", "r.csv", BadFile, "NUL"),
        (b"a\n" + b"x" * (LONGEST_CELL + 1), "r.csv", TooLarge, "has 100,001 characters; 100,000 is the most"),
        (b"a\n" + b"x" * 200_000, "r.csv", BadFile, "field larger than field limit"),
        (b",".join(b"c%d" % i for i in range(MOST_COLUMNS + 1)), "r.csv", TooLarge, "1,001 columns; 1,000 is the most"),
        (b"x" * (MOST_BYTES + 1), "r.csv", TooLarge, "20,000,001 bytes; 20,000,000 is the most"),
        (b'{"rows": []}', "r.json", BadFile, "must be a list of objects"),
        (b"[1]", "r.json", BadFile, "must be a list of objects"),
        (b"a\n1", "r.xlsx", BadFile, "is no .csv, .tsv or .json file"),
    ],
)
def test_what_cannot_be_read_is_told(data: bytes, name: str, error: type[AtelierError], message: str):
    with pytest.raises(error) as raised:
        read_rows(data, name)
    assert message in str(raised.value)


@pytest.mark.parametrize(("data", "name"), [(b"a\n1\n2\n3\n", "r.csv"), (b'[{"a": 1}, {"a": 2}, {"a": 3}]', "r.json")])
def test_too_many_rows_are_refused_with_the_limit(monkeypatch: pytest.MonkeyPatch, data: bytes, name: str):
    monkeypatch.setattr("lib_extension.plan.rows_file.MOST_ITEMS", 2)
    with pytest.raises(TooLarge, match=f'The rows file "{name}" has 3 rows; 2 is the most'):
        read_rows(data, name)


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8).map(str.strip)


@given(st.lists(st.fixed_dictionaries({"first name": cells, "b": cells, "c": cells}), max_size=5), st.sampled_from(",;\t|"))
def test_what_a_program_writes_is_read_back(rows: list[dict[str, str]], delimiter: str):
    text = io.StringIO()
    writer = csv.DictWriter(text, ["first name", "b", "c"], delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    kept = [row for row in rows if any(row.values())]
    read = read_rows(text.getvalue().encode(), "rows.csv")
    assert [{name: str(value) for name, value in row.items()} for row in read] == kept


@settings(max_examples=200)
@given(st.binary(max_size=100) | st.text(',;"\n\r\tab1.é', max_size=40).map(str.encode), st.sampled_from(["r.csv", "r.json", "r.tsv"]))
def test_any_bytes_are_rows_or_refused(data: bytes, name: str):
    try:
        rows: tuple[dict[str, Any], ...] = read_rows(data, name)
    except AtelierError:
        return
    json.dumps(rows, allow_nan=False)
