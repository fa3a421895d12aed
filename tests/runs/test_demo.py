"""Does the demo's whole way hold, from the recipe through a real engine to the files? On a tiny model with random weights."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from lib_extension.backend.client import Unreachable
from lib_extension.backend.engine_process import running_engine
from lib_extension.runs.demo import main
from lib_extension.runs.recipe_files import BUILT_IN
from tests import tiny

ROOT = Path(__file__).parents[2]


@pytest.fixture
def small_demo(tmp_path: Path, sd1_folder: Path) -> Path:
    """A folder with the model "demo" and the built-in recipe, cut down to small pictures of the drawing and the photograph in one place."""
    shutil.copytree(sd1_folder, tmp_path / "demo")
    tiny.tiny_controlnet(tmp_path / "demo" / "controlnet", tmp_path / "demo")
    shutil.copytree(BUILT_IN / "inputs", tmp_path / "inputs")
    recipe = yaml.safe_load((BUILT_IN / "product-shots.yaml").read_text(encoding="utf-8"))
    recipe["rows"] = [row for row in recipe["rows"] if row["place"] == "on a beach"]
    recipe["settings"]["steps"] = 3
    recipe["stages"][0]["settings"] = {"width": 64, "height": 64}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return tmp_path


def test_four_stages_with_a_real_engine(small_demo: Path) -> None:
    output = small_demo / "out"
    command = [sys.executable, "-m", "lib_extension.runs.demo", "--model", str(small_demo / "demo")]
    command += ["--recipe", str(small_demo / "recipe.yaml"), "--output", str(output)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "[4/4] upscale: 4 calls" in ended.stdout
    assert f"14 pictures are in {output}" in ended.stdout

    manifest = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    assert [picture["file"] for picture in manifest["pictures"]] == [
        *(f"{row}-base-1.png" for row in ("01", "02")),
        *(f"{row}-{stage}-{n}.png" for stage in ("variations", "background", "upscale") for row in ("01", "02") for n in (1, 2)),
    ]
    assert manifest["checkpoint"].startswith("demo")
    assert (output / "contact-sheet.png").is_file()
    assert pixels(output / "01-upscale-2.png").shape == (128, 128, 3)
    assert "ControlNet 0" in manifest["pictures"][0]["infotext"]

    # The background was redrawn, and the product kept to the pixel: well inside its outline nothing has changed. The drawing's alpha
    # says where that is; the photograph has none, and was cut out by the network.
    for row in ("01", "02"):
        before, after = pixels(output / f"{row}-variations-1.png"), pixels(output / f"{row}-background-1.png")
        assert np.array_equal(before[28:36, 28:36], after[28:36, 28:36])
        assert not np.array_equal(before[:8], after[:8])


def test_what_is_wrong_with_the_recipe_is_said_before_the_engine_starts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r.yaml").write_text("name: r\nstagez: []\n", encoding="utf-8")
    assert main(["--recipe", str(tmp_path / "r.yaml"), "--output", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err == 'Atelier: stagez is not known. Did you mean "stages"?\n'
    assert not (tmp_path / "out").exists()


def test_an_engine_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"The engine ended while it started: .*nowhere"), running_engine("nowhere", tmp_path / "log"):
        pytest.fail("it started")


def pixels(file: Path) -> np.ndarray:
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB"))
