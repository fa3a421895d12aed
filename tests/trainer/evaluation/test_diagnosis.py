"""Is each word of a diagnosis said where its figure says so, and else not?"""

from __future__ import annotations

import numpy as np
import pytest

from trainer.evaluation.diagnosis import RunFigures, diagnosis

FALLEN = (*np.linspace(0.2, 0.1, 300), *[0.1] * 200)
GOOD = RunFigures(losses=FALLEN, validation=((0, 0.2), (100, 0.15), (200, 0.12), (300, 0.12), (400, 0.12)), pictures=16, rank=16)


@pytest.mark.parametrize(
    ("run", "kinds", "figure"),
    [
        (RunFigures(), [], 0),
        (GOOD, [], 0),
        (RunFigures(losses=FALLEN[:40]), [], 0),
        (RunFigures(losses=[0.1] * 100, skipped=3), ["learning rate too high"], 3),
        (RunFigures(losses=[0.1] * 80 + [0.2] * 20), ["learning rate too high"], 2),
        (RunFigures(losses=[0.1] * 80 + [0.105] * 20), [], 0),
        (RunFigures(losses=[0.2] * 80 + [0.1] * 20), ["underfit"], 0.5),
        (RunFigures(losses=[0.1] * 99 + [50.0]), [], 0),
        (RunFigures(validation=((0, 0.2), (1, 0.18), (2, 0.16), (3, 0.14), (4, 0.07))), ["underfit"], 0.5),
        (RunFigures(validation=((0, 0.2), (50, 0.1), (99, 0.12))), ["overfit"], 0.2),
        (RunFigures(validation=((0, 0.2), (50, 0.1), (99, 0.102))), [], 0),
        (RunFigures(losses=[0.2] * 80 + [0.1] * 20, validation=((0, 0.2), (50, 0.1), (99, 0.12))), ["overfit"], 0.2),
        (RunFigures(fused=[("ohwx", "hat", 0.95)]), ["fused trigger"], 0.95),
        (RunFigures(pictures=12, rank=48), ["too few pictures"], 0.25),
        (RunFigures(pictures=16, rank=16), [], 0),
    ],
)
def test_what_is_said(run: RunFigures, kinds: list[str], figure: float) -> None:
    found = diagnosis(run)
    assert [one.kind for one in found] == kinds
    assert [one.figure for one in found] == pytest.approx([figure] * len(kinds))


def test_what_is_said_names_its_figure() -> None:
    (over,) = diagnosis(RunFigures(validation=((0, 0.2), (50, 0.1), (99, 0.12))))
    assert "step 50" in over.text
    assert "20%" in over.text
    (few,) = diagnosis(RunFigures(pictures=12, rank=48))
    assert few.text.endswith("Take a rank of 8.")
    (fused,) = diagnosis(RunFigures(fused=[("ohwx", "hat", 0.95)]))
    assert fused.text.startswith('"hat" stands in 95% of the captions with "ohwx"')
