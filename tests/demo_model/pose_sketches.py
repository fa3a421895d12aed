"""How were the recipes' pose sketches made? By `python -m tests.demo_model.pose_sketches`, as the skeletons that the demo model learnt."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.demo_model.character import VIEWS, keypoints, skeleton
from tests.demo_model.objects import Spot

FOLDER = Path(__file__).resolve().parents[2] / "lib_extension" / "recipes" / "inputs"
SIZE = 512
_MIDDLE = Spot(0.5, 0.49, 0.385)  # as large as characters are in training, head and feet in the picture


def pose_sketch(view: str) -> Image.Image:
    """A standing character from one of VIEWS, as OpenPose draws it: RGB on black, SIZE px square."""
    return skeleton(keypoints(_MIDDLE, view, "standing"), SIZE)


def file_of(view: str) -> Path:
    """Where the sketch of a view is kept."""
    return FOLDER / f"pose-{view}.png"


if __name__ == "__main__":
    for each in VIEWS:
        pose_sketch(each).save(file_of(each), optimize=True)
