"""The pictures a ControlNet is guided by, made from a drawn scene."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np
from PIL import Image

from tests.demo_model.scenes import Scene

LOW, HIGH = 100, 200  # Canny's thresholds, the WebUI's defaults


def canny(picture: Image.Image) -> Image.Image:
    """White edges on black, mode L."""
    return Image.fromarray(cv2.Canny(np.asarray(picture.convert("RGB")), LOW, HIGH))


def hint(scene: Scene, random: Random) -> np.ndarray:
    """One of the scene's hints, RGB uint8 (3, S, S): its skeleton (half of the characters), its depth (a third), its edges."""
    if scene.skeleton and random.random() < 0.5:
        chosen = scene.skeleton
    elif random.random() < 1 / 3:
        chosen = scene.depth
    else:
        chosen = canny(scene.picture)
    return np.asarray(chosen.convert("RGB")).transpose(2, 0, 1)
