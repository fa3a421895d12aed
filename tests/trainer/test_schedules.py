"""Do the learning rate's schedules go through the points that their formulas say?"""

from __future__ import annotations

import pytest

from lib_extension.spec.training.optimizer import ScheduleSettings
from trainer.schedules import factor


@pytest.mark.parametrize(
    ("settings", "at"),
    [
        (ScheduleSettings("constant"), {0: 1, 50: 1, 99: 1}),
        (ScheduleSettings("constant", warmup_steps=4), {0: 0.25, 1: 0.5, 3: 1, 4: 1, 99: 1}),
        (ScheduleSettings("cosine"), {0: 1, 25: 0.8535534, 50: 0.5, 75: 0.1464466, 100: 0}),
        (ScheduleSettings("cosine", lowest=0.2), {0: 1, 50: 0.6, 100: 0.2, 150: 0.2}),
        (ScheduleSettings("cosine", warmup_steps=20), {9: 0.5, 20: 1, 60: 0.5, 100: 0}),
        (ScheduleSettings("restarts", cycles=2), {0: 1, 25: 0.5, 49: 0.000986636, 50: 1, 75: 0.5, 100: 0}),
        (ScheduleSettings("linear"), {0: 1, 30: 0.7, 100: 0}),
        (ScheduleSettings("polynomial", power=3), {0: 1, 50: 0.125, 90: 0.001}),
    ],
)
def test_factors(settings: ScheduleSettings, at: dict[int, float]) -> None:
    assert {step: factor(settings, step, 100) for step in at} == pytest.approx(at, abs=1e-6)


def test_a_warm_up_longer_than_the_run_only_rises() -> None:
    settings = ScheduleSettings("cosine", warmup_steps=10)
    assert [factor(settings, step, 5) for step in range(5)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
