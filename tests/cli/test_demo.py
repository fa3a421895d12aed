"""Does the demo's whole way hold, from the built-in recipe through the real engine to the files? In small, at one place."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lib_extension.cli import exit_codes
from lib_extension.cli.demo import main, python_told
from lib_extension.pictures.png import open_picture
from lib_extension.runs.lineage import lineage_in
from tests.runs.stub_backend import running_stub

Call = Callable[..., tuple[int, str, str]]
SMALL = ("--set", "size=64", "--axis", "place=on a beach")
PRODUCTS = ("001", "002")  # the drawing and the photograph


@pytest.fixture
def demo(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Call:
    """Runs the demo with a home of the test's own: (status, what it printed, what it complained of)."""

    def call(*words: object) -> tuple[int, str, str]:
        status = main([*map(str, ("--output", tmp_path / "out", "--home", tmp_path / "home", *words))])
        printed = capfd.readouterr()
        return status, printed.out, printed.err

    return call


def pixels(file: Path) -> np.ndarray:
    return np.asarray(open_picture(file.read_bytes(), what="it"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.png")}


def test_from_two_pictures_of_a_watch_to_a_contact_sheet_and_again_from_the_ledger(demo: Call, tmp_path: Path):
    output = tmp_path / "out"
    status, printed, complained = demo(*SMALL)
    assert (status, complained) == (exit_codes.DONE, "")
    lines = [line for line in printed.splitlines() if line.startswith("[")]
    assert lines[0].startswith("[1/11] base: 2 of 2 in ")
    assert all(line.endswith((" left", "left not known yet")) for line in lines)
    assert printed.splitlines()[-2:] == [
        f"Look at {output / 'contact-sheet.png'} first",
        f"Then open Atelier itself: {python_told()} -m lib_extension serve --open",
    ]

    assert {file.name for file in (output / "11-files").iterdir()} == {
        "drawing on a beach.png",
        "photograph on a beach.png",
        "manifest.json",
    }
    assert pixels(output / "08-large/001-1.png").shape == (128, 128, 3)
    sheet, strip = (open_picture((output / name).read_bytes(), what="it") for name in ("contact-sheet.png", "09-steps/001-1.png"))
    assert (sheet.width, sheet.height) >= (strip.width, 2 * strip.height)
    told = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    assert [file["file"] for file in told["files"] if file["stage"] == "contact_sheet"] == ["10-contact_sheet/all-1.png"]
    lineage = lineage_in((output / "contact-sheet.png").read_bytes(), "it")
    assert lineage is not None
    assert lineage.recipe["name"] == "product-shots"

    for product in PRODUCTS:
        around = pixels(output / f"06-surroundings/{product}-1.png")
        step = around.shape[0] // 64
        kept = around[::step, ::step] == 0
        # Well inside: the mask's own edge falls between pixels at this size.
        inner = kept & np.roll(kept, 2, 0) & np.roll(kept, -2, 0) & np.roll(kept, 2, 1) & np.roll(kept, -2, 1)
        before, after = pixels(output / f"05-strap/{product}-1.png"), pixels(output / f"07-background/{product}-1.png")
        assert inner.sum() > 300, "the product fills a good part"
        assert np.array_equal(before[inner], after[inner]), "and stays to the pixel"
        assert not np.array_equal(before[:8], after[:8]), "where the background is new"

    made = contents(output)
    shutil.rmtree(output)
    status, printed, complained = demo(*SMALL)
    assert (status, complained) == (exit_codes.DONE, "")
    assert all(line.endswith("from earlier") for line in printed.splitlines() if line.startswith("["))
    assert contents(output) == made


def test_what_is_wrong_with_what_was_typed_is_said_before_anything_starts(demo: Call, tmp_path: Path):
    status, printed, complained = demo("--set", "sise=64")
    assert (status, printed) == (exit_codes.BAD_INPUT, "")
    assert complained == 'Atelier: The recipe "product-shots" has no input "sise". Did you mean "size"?\n'
    assert not (tmp_path / "out").exists()


def test_a_backend_that_lacks_what_the_recipe_needs_is_told_of_in_one_go(demo: Call, tmp_path: Path):
    with running_stub() as stub:
        status, _, complained = demo(*SMALL, "--backend", stub.url)
    assert status == exit_codes.REFUSED
    assert complained.splitlines()[-1] == "Nothing was started."
    assert not (tmp_path / "out" / "contact-sheet.png").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a folder that cannot be written is made another way there")
def test_a_place_that_cannot_be_written_is_said(demo: Call, tmp_path: Path):
    (tmp_path / "out").write_text("a file")
    status, _, complained = demo(*SMALL)
    assert status == exit_codes.FAILED
    assert len(complained.splitlines()) == 1
    assert complained.startswith("Atelier: The output folder ")
