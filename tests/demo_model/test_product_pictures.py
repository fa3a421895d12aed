"""Are the recipes' pictures of a watch what their scripts make, and do the demo networks know them?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from lib_extension.models.parts import Parts
from lib_extension.models.tagger import Tagger
from tests.demo_model import product_drawing, product_photograph, product_renders

DEMO = Path(__file__).resolve().parents[2] / "lib_extension" / "models" / "demo"


def test_the_drawing_is_what_its_script_makes():
    assert np.array_equal(np.asarray(Image.open(product_drawing.FILE)), np.asarray(product_drawing.product_drawing()))


def test_the_photograph_is_what_its_script_makes(tmp_path: Path):
    product_photograph.photograph().save(tmp_path / "made.jpg", quality=90)
    stored, made = (np.asarray(Image.open(file), float) for file in (product_photograph.FILE, tmp_path / "made.jpg"))
    assert np.abs(stored - made).mean() < 0.5  # another version's JPEG may round otherwise


def test_the_renders_are_what_their_script_makes():
    for name, made in product_renders.pictures().items():
        stored = Image.open(product_renders.FOLDER / name)
        assert stored.mode == made.mode
        assert np.array_equal(np.asarray(stored), np.asarray(made)), name


def test_the_demo_networks_find_the_watch_in_the_photograph():
    photograph = Image.open(product_photograph.FILE)
    alpha = product_photograph.watch().resize(photograph.size).getchannel("A")
    drawn = np.asarray(alpha) > 127
    found = np.asarray(Parts(DEMO / "parts").masks(photograph)["object"].resize(photograph.size)) > 127
    assert (found & drawn).sum() / (found | drawn).sum() > 0.9
    tags = Tagger(DEMO / "tagger").tags(photograph)
    assert min(tags["watch"], tags["red"]) > 0.9
