"""Is the plot drawn of the points that count?"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from trainer.plot import draw_loss, drawn, read_points, running_mean
from trainer.report import Report


def told(folder: Path, points: Sequence[tuple[str, float, float]], rest: str = "") -> Path:
    lines = [json.dumps({"event": "point", "series": series, "x": x, "y": y}) for series, x, y in points]
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n" + rest)
    return folder / "events.jsonl"


def test_of_a_run_that_went_on_the_later_points_count(tmp_path: Path) -> None:
    events = told(tmp_path, [("loss", 1, 0.5), ("loss", 2, 0.4), ("other", 1, 9), ("loss", 2, 0.3)], '{"event": "point", "ser')
    assert read_points(events, ["loss"]) == {"loss": {1.0: 0.5, 2.0: 0.3}}


def test_it_is_drawn_in_its_colours(tmp_path: Path) -> None:
    told(tmp_path, [("loss", x, 1 / x) for x in range(1, 100)] + [("validation loss", 10, 0.5), ("validation loss", 90, 0.2)])
    draw_loss(tmp_path, Report(None))
    with Image.open(tmp_path / "loss.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(100_000) or []}
    assert {(31, 119, 180), (214, 39, 40), (255, 255, 255)} <= colours


def test_a_plot_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    told(tmp_path, [("loss", x, 1 / x) for x in range(1, 9)])
    (tmp_path / "loss.png").mkdir()
    out = io.StringIO()
    draw_loss(tmp_path, Report(out))
    assert "loss.png could not be written" in out.getvalue()


def test_one_point_is_no_plot(tmp_path: Path) -> None:
    told(tmp_path, [("loss", 1, 0.5)])
    draw_loss(tmp_path, Report(None))
    assert not (tmp_path / "loss.png").exists()


def test_equal_points_have_a_plot() -> None:
    assert drawn({"loss": {1.0: 0.0, 2.0: 0.0}}, "flat").size == (960, 480)


def test_the_running_mean_of_a_constant_is_that() -> None:
    assert [y for _, y in running_mean([(x, 3.0) for x in range(200)])] == pytest.approx([3.0] * 200)
