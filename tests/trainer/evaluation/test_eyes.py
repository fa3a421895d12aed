"""Does a tagger's look at drawn pictures become figures, and is what needs none told without one?"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from trainer.evaluation.eyes import Eyes, small


def test_without_a_tagger_only_small_pictures_compare() -> None:
    pictures = [Image.new("RGB", (64, 48), (250, 10, 10)), Image.linear_gradient("L")]
    assert Eyes("").agreement(["a", "b"], pictures) is None
    assert Eyes("").vectors(pictures) is None
    assert small(pictures).shape == (2, 768)
    assert small(pictures).mean(1) == pytest.approx([0, 0], abs=1e-3)


def test_the_demo_tagger_gives_vectors_and_a_share() -> None:
    eyes, picture = Eyes("demo"), Image.new("RGB", (64, 64), (250, 10, 10))
    vectors = eyes.vectors([picture, picture])
    assert vectors is not None
    assert np.array_equal(vectors[0], vectors[1])
    assert eyes.agreement(["zzz"], [picture]) is None, "no word that it knows"
