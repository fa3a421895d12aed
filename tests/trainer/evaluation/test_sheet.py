"""Are pictures of saves and weights put on one sheet, small and in order?"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from trainer.evaluation.sheet import cell, write_sheet


def test_a_row_for_each_save_and_a_column_for_each_weight(tmp_path: Path) -> None:
    large = Image.new("RGB", (512, 512), (10, 20, 30))
    cells = [cell(0, "a " * 50, step, weight, large) for weight in (1.0, 0.4) for step in (4, 2)]
    assert cells[0].picture.size == (256, 256)
    assert cells[0].label.startswith("step 4, weight 1: a a")
    assert cells[0].label.endswith("…")
    with Image.open(write_sheet(cells, tmp_path / "samples", "disc", 2)) as sheet:
        assert sheet.width == 2 * 256 + 3 * 8
        assert sheet.height > 2 * 256
