"""Does an account stay true and small, whatever a program prints?"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extension.jobs.account import MOST_LINES, MOST_POINTS, Account, thinned


def account_of(folder: Path, *lines: str) -> Account:
    (folder / "events.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    account = Account()
    while account.read(folder):
        pass
    return account


def test_a_long_plot_keeps_its_shape_in_few_points(tmp_path: Path):
    account = account_of(tmp_path, *(json.dumps({"event": "point", "x": step, "y": 1 / (1 + step)}) for step in range(5_000)))
    points = account.points["loss"]
    assert MOST_POINTS < len(points) <= 2 * MOST_POINTS
    assert points[0] == [0, 1]
    assert points[-1][0] == 4_999
    assert all(y == 1 / (1 + x) for x, y in points)
    assert all(before[0] < after[0] for before, after in itertools.pairwise(points))


def test_few_points_are_spread_evenly():
    points = thinned([[float(x), 1.0] for x in range(0, 30_000, 3)])
    assert MOST_POINTS <= len(points) <= MOST_POINTS + 2
    assert {round(after[0] - before[0]) for before, after in itertools.pairwise(points[:-2])} <= {72, 75, 78}
    assert thinned([[1.0, 0.0]] * 5)[-1] == [1.0, 0.0]


def test_numbers_that_are_none_are_no_points(tmp_path: Path):
    words = ['{"event": "point", "x": 1, "y": NaN}', '{"event": "point", "x": 1, "y": 1e999}', '{"event": "point", "y": "low"}']
    assert account_of(tmp_path, *words).points == {}


def test_only_the_last_lines_are_kept_and_what_is_no_json_is_one(tmp_path: Path):
    account = account_of(tmp_path, *map(str, range(1000)), "{not json", '{"no": "event"}', '["event"]')
    assert len(account.lines) == MOST_LINES
    assert list(account.lines)[-4:] == ["999", "{not json", '{"no": "event"}', '["event"]']


def test_of_many_findings_the_last_and_what_was_made_are_kept(tmp_path: Path):
    events = [{"event": "file", "file": "disc.safetensors"}, *({"event": "save", "step": step} for step in range(150))]
    findings = account_of(tmp_path, *map(json.dumps, [*events, {"event": "evaluation", "step": 3}])).findings
    assert findings == [events[0], *events[-98:], {"event": "evaluation", "step": 3}]
    many = account_of(tmp_path, *(json.dumps({"event": "file", "file": str(number)}) for number in range(150))).findings
    assert [one["file"] for one in many] == [str(number) for number in range(50, 150)]


@settings(max_examples=30)
@given(st.lists(st.text(), max_size=20), st.integers(0, 200))
def test_read_in_pieces_it_is_as_read_at_once(tmp_path_factory, lines: list[str], cut: int):
    folder = tmp_path_factory.mktemp("job")
    whole = "".join(json.dumps({"event": "log", "text": line}) + "\n" for line in lines).encode()
    file = folder / "events.jsonl"
    pieces = Account()
    for data in (whole[:cut], whole):
        file.write_bytes(data)
        pieces.read(folder)
    at_once = Account()
    at_once.read(folder)
    assert pieces == at_once
