"""Does a run make every picture once, from the right source, and leave files that say so?"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import httpx
from PIL import Image

from lib_extension.backend.client import Client
from lib_extension.runs.progress_line import ProgressLine, estimate
from lib_extension.runs.recipe_files import BUILT_IN, load_recipe
from lib_extension.runs.results_folder import file_name, save_contact_sheet, save_manifest, save_picture
from lib_extension.runs.small_runner import Result, run
from tests.backend.webui_stand_in import StandIn


def carry_out(server: StandIn) -> tuple[list[Result], str]:
    """The built-in recipe's results, and what its progress line printed."""
    recipe, inputs = load_recipe(BUILT_IN / "product-shots.yaml")
    inputs["photograph"] = inputs["photograph"].convert("RGBA")  # as it is when the network has cut it out
    client, printed = Client("http://webui", httpx.WSGITransport(app=server)), io.StringIO()
    return list(run(recipe, inputs, client, ProgressLine(len(recipe.stages), printed, client.progress))), printed.getvalue()


def test_the_built_in_recipe_makes_four_stages_of_two_pictures_in_three_places() -> None:
    server = StandIn()
    results, printed = carry_out(server)
    assert [(stage, sum(r.stage == stage for r in results)) for stage in ("base", "variations", "background", "upscale")] == [
        ("base", 6),
        ("variations", 12),
        ("background", 12),
        ("upscale", 12),
    ]
    assert len(server.calls) == 6 + 6 + 12 + 12
    assert "[1/4] base: 6 calls" in printed
    assert "[4/4] upscale: 12 calls" in printed
    assert "left in this stage" in printed

    last = results[-1]
    assert (last.stage, last.row, last.number, last.image.size) == ("upscale", 5, 1, (256, 256))
    assert last.source is not None
    assert last.source.source is not None
    assert (last.source.number, last.source.source.number) == (1, 1)  # the second variation, all the way
    assert "at night" in last.source.infotext


def test_the_folder_tells_how_each_picture_was_made(tmp_path: Path) -> None:
    recipe, inputs = load_recipe(BUILT_IN / "product-shots.yaml")
    results, _ = carry_out(StandIn())
    for result in results:
        save_picture(tmp_path, result)
    manifest = json.loads(save_manifest(tmp_path, recipe, "plain [0123456789]", results).read_text(encoding="utf-8"))
    sheet = save_contact_sheet(tmp_path, recipe, inputs, results)

    told = {picture["file"]: picture for picture in manifest["pictures"]}
    assert sorted(told) == sorted(path.name for path in tmp_path.glob("0*.png"))
    for name, picture in told.items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == picture["sha256"]
        with Image.open(tmp_path / name) as saved:
            assert saved.info["parameters"] == picture["infotext"]
    picture = told["02-upscale-2.png"]
    assert (picture["from"], told[picture["from"]]["from"]) == ("02-background-2.png", "02-variations-2.png")
    assert told["02-background-2.png"]["settings"]["prompt"] == "a red watch in a forest"
    assert "init_images" not in picture["settings"]
    assert manifest["checkpoint"] == "plain [0123456789]"
    assert manifest["recipe"]["name"] == "product-shots"
    with Image.open(sheet) as shown:
        assert shown.width > 256 + 5 * 128 + 2 * 256
        assert shown.height > 6 * 256


def test_names_sort_by_row_then_number() -> None:
    results, _ = carry_out(StandIn())
    assert file_name(results[0]) == "01-base-1.png"


def test_estimate() -> None:
    assert estimate(0.0, 3) == "time left not known yet"
    assert estimate(0.25, 10) == "30 s left"
    assert estimate(0.5, 125) == "2 min 05 s left"
