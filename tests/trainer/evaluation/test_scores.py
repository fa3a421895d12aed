"""Is the best save the best, and is each figure what it says?"""

from __future__ import annotations

import numpy as np
import pytest

from trainer.evaluation.scores import SaveScores, agreement, best, kept, likeness, totals


@pytest.mark.parametrize(
    ("saves", "chosen"),
    [
        ([], None),
        ([SaveScores("a", 1)], "a"),
        ([SaveScores("b", 2), SaveScores("a", 1)], "a"),
        ([SaveScores("a", 1, 0.2), SaveScores("b", 2, 0.1)], "b"),
        ([SaveScores("a", 1, 0.2), SaveScores("b", 2)], "a"),
        ([SaveScores("a", 1, 0.3, 0.1, 0.2, 1.0), SaveScores("b", 2, 0.1, 0.9, 0.8, 0.99), SaveScores("c", 3, 0.2, 0.9, 0.9, 0.5)], "b"),
    ],
)
def test_the_best_is_chosen_by_what_all_have(saves: list[SaveScores], chosen: str | None) -> None:
    found = best(saves)
    assert (found and found.file) == chosen


def test_totals_are_means_of_places_between_worst_and_best() -> None:
    saves = [SaveScores("a", 1, 0.4, likeness=0.5), SaveScores("b", 2, 0.2, likeness=0.6), SaveScores("c", 3, 0.1, likeness=0.5)]
    assert totals(saves) == pytest.approx([0, 0.75, 0.5])


def test_what_hardly_differs_hardly_counts() -> None:
    """The first forgot a thousandth less, the second learnt a fifth more."""
    saves = [SaveScores("a", 1, agreement=0.4, kept=0.999), SaveScores("b", 2, agreement=0.6, kept=0.998)]
    assert totals(saves) == pytest.approx([0.025, 0.5])


def test_agreement_counts_known_tags_alone() -> None:
    found = [{"red": 0.9, "hat": 0.1}, {"red": 0.2, "hat": 0.4}]
    assert agreement([["red", "hat", "ohwx"], ["hat"]], found) == pytest.approx(0.75)
    assert agreement([["ohwx"]], found[:1]) is None


def test_likeness_is_to_the_nearest_and_what_is_kept_to_the_same_seed() -> None:
    east, north = np.array([1.0, 0]), np.array([0, 2.0])
    assert likeness(np.stack([east, north]), np.stack([3 * east, north])) == pytest.approx(1)
    assert likeness(north[None], east[None]) == pytest.approx(0)
    assert kept(np.stack([east, north]), np.stack([east, east])) == pytest.approx(0.5)
    assert kept(np.zeros((1, 2)), east[None]) == 0
