"""Are training pictures looked at in the colours that were learnt?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from trainer.evaluation.measuring import as_trained


def test_sixteen_bits_and_transparency_are_seen_as_they_are_trained_on(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 32768, np.uint16)).save(tmp_path / "grey.png")
    Image.new("RGBA", (4, 4), (200, 0, 0, 0)).save(tmp_path / "clear.png")
    assert [as_trained(tmp_path / name).getpixel((0, 0)) for name in ("grey.png", "clear.png")] == [(127,) * 3, (255,) * 3]
