"""Are the recipes' pose sketches what their script makes, and does each show its view?"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.demo_model.character import VIEWS
from tests.demo_model.pose_sketches import SIZE, file_of, pose_sketch


@pytest.mark.parametrize("view", VIEWS)
def test_a_sketch_is_what_its_script_makes(view: str):
    stored = Image.open(file_of(view))
    assert (stored.mode, stored.size) == ("RGB", (SIZE, SIZE))
    assert np.array_equal(np.asarray(stored), np.asarray(pose_sketch(view)))


def test_the_views_are_of_one_height_and_no_two_alike():
    sketches = [np.asarray(pose_sketch(view)) for view in VIEWS]
    tops, bottoms = zip(
        *((drawn.min(), drawn.max()) for drawn in (np.flatnonzero(sketch.any(axis=(1, 2))) for sketch in sketches)), strict=True
    )
    assert max(tops) - min(tops) < 16
    assert max(bottoms) - min(bottoms) < 4
    assert len({sketch.tobytes() for sketch in sketches}) == len(VIEWS)
