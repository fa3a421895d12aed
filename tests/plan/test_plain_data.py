"""YAML and JSON from anybody: plain values within limits, or an error that says what and where."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extension.plan.plain_data import DEEPEST, MOST_VALUES, MOST_YAML, read_json, read_yaml, write_yaml
from lib_extension.spec.errors import AtelierError, BadFile, TooLarge

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12) | st.sampled_from(
    [
        "no",
        "on",
        "1e5",
        "16:9",
        "2024-01-01",
        "<<",
        "=",
        "~",
        "null",
        "0x1F",
        "1_000",
        "007",
        "-",
        "? a",
        "{a: b}",
        ".5",
        "True",
        ".inf",
        "",
    ]
)
scalars = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False) | texts
json_values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=12)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", {"a": "no"}),
        ("on: off", {"on": "off"}),
        ("ratio: 16:9", {"ratio": "16:9"}),
        ("date: 2024-01-01", {"date": "2024-01-01"}),
        ("sku: 007", {"sku": "007"}),
        ("a: 1e-4", {"a": 0.0001}),
        ("a: .5", {"a": 0.5}),
        ("a: -3", {"a": -3}),
        ("a: True", {"a": True}),
        ("a:", {"a": None}),
        ("a: .nan", {"a": ".nan"}),
        ("1950: x", {"1950": "x"}),
        ("a: &x {b: 1}\nc: {<<: *x, d: 2}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        ("a: &x {b: 1, d: 1}\nc: {d: 2, <<: *x}", {"a": {"b": 1, "d": 1}, "c": {"b": 1, "d": 2}}),
        ("a: &x [1]\nb: [*x, *x]", {"a": [1], "b": [[1], [1]]}),
        ("a: !!str 5", {"a": "5"}),
        ("", None),
    ],
)
def test_yaml_is_read_as_people_mean_it(text: str, value: Any):
    assert read_yaml(text.encode(), "It") == value


def test_aliases_are_written_out_so_that_no_value_is_shared():
    read = read_yaml(b"a: &x {b: 1}\nc: *x", "It")
    assert read["a"] is not read["c"]


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"\n".join(b"%c: &%c [%s]" % (c, c, b",".join([b"*%c" % (c - 1)] * 10)) for c in range(98, 110))
MERGE_BOMB = b"a: &a {k: v}\n" + b"\n".join(b"%c: &%c {<<: [%s]}" % (c, c, b",".join([b"*%c" % (c - 1)] * 10)) for c in range(98, 110))


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"a: 1\na: 2", BadFile, 'The recipe has "a" twice in one object'),
        (
            b"a: !!python/object/apply:os.system ['true']",
            BadFile,
            'the tag "tag:yaml.org,2002:python/object/apply:os.system" in line 1; only plain',
        ),
        (b"a: 1\nb: !run x", BadFile, 'the tag "!run" in line 2'),
        (b"a: !!binary aGk=", BadFile, "only plain values are read"),
        (b"a: !!set {x, y}", BadFile, "only plain values are read"),
        (b"a: !!int x", BadFile, "'x' in line 1 is no int"),
        (b"a: 1e999", BadFile, "'1e999' in line 1 is no float"),
        (b"? [a]\n: b", BadFile, "a name in line 1 is no text"),
        (b"a: {<<: 5}", BadFile, "<< in line 1 needs an object"),
        (b"a: [1, 2", BadFile, "is not YAML: expected ',' or ']', but got '<stream end>', line 1"),
        (b"--- 1\n--- 2", BadFile, "is not YAML"),
        (b"a: *x", BadFile, "found undefined alias"),
        (b"\x80abc", BadFile, "is not UTF-8 text (byte 0 is none)"),
        (b"a: \x00", BadFile, "NUL"),
        (b"a: \x07", BadFile, "is not YAML"),
        (b"&a [*a]", BadFile, "nested too deep, or holds itself"),
        (b"[" * 40 + b"]" * 40, BadFile, f"nested too deep, or holds itself; {DEEPEST} levels"),
        (b"[" * 100_000, BadFile, "nested too deep"),
        (b"- " * 100_000, BadFile, "nested too deep"),
        (b"\n".join([b"a0: &a0 [x]", *(b"a%d: &a%d [*a%d]" % (i, i, i - 1) for i in range(1, 5000))]), BadFile, "nested too deep"),
        (BOMB, TooLarge, f"more than {MOST_VALUES:,} values, its aliases written out"),
        (MERGE_BOMB, TooLarge, f"more than {MOST_VALUES:,} values"),
        (b"a" * (MOST_YAML + 1), TooLarge, f"256,001 bytes; {MOST_YAML:,} is the most for YAML. Move rows to a CSV or JSON file."),
    ],
)
def test_what_yaml_may_not_hold(data: bytes, error: type[AtelierError], message: str):
    with pytest.raises(error) as raised:
        read_yaml(data, "The recipe")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": 1, "a": 2}', '"a" twice in one object'),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": 1e999}', "1e999 is no number"),
        (b'{"a": 123456789012345678901234567890}', "is no number that can be used"),
        (b'{"a": 1,}', "is not JSON: "),
        (b"{'a': 1}", "in line 1, column 2"),
        (b"[" * 33 + b"]" * 33, f"nested too deep; {DEEPEST} levels is the most"),
        (b"[" * 1_000_000, "nested too deep"),
        (b"", "is not JSON"),
    ],
)
def test_what_json_may_not_hold(data: bytes, message: str):
    with pytest.raises(BadFile) as raised:
        read_json(data, "The rows")
    assert message in str(raised.value)


def test_spreadsheets_marks_are_read():
    assert read_json(b'\xef\xbb\xbf{"a": "\xc3\xa4"}', "It") == {"a": "ä"}
    assert read_json('{"a": "ä"}'.encode("utf-16"), "It") == {"a": "ä"}


@given(json_values)
def test_what_is_written_is_read_back_the_same(value: Any):
    read = read_yaml(write_yaml(value).encode(), "It")
    assert json.dumps(read) == json.dumps(value)
    assert list(read) == list(value) if isinstance(value, dict) else True


@given(json_values)
def test_json_is_read_as_json_does(value: Any):
    assert read_json(json.dumps(value).encode(), "It") == value


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text("[]{}:,-&*!|>'\"#%@?~<ab1. \n\t", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes):
    for read in (read_yaml, read_json):
        try:
            value = read(data, "It")
        except AtelierError:
            continue
        json.dumps(value, allow_nan=False)


@given(
    st.recursive(
        scalars | st.dates() | st.binary(max_size=3), lambda inner: st.lists(inner, max_size=3) | st.sets(st.integers(), max_size=2)
    )
)
def test_what_other_programs_write_is_plain_or_refused(value: Any):
    try:
        read = read_yaml(yaml.safe_dump(value).encode(), "It")
    except BadFile:
        return
    assert not isinstance(read, (bytes, set, datetime.date))
