"""Do weights change states as the WebUI's emphasis modes say?"""

from __future__ import annotations

import pytest
import torch

from lib_extension.engine.emphasis import check_mode, emphasise
from lib_extension.spec.errors import BadRequest

STATES = torch.tensor([[[1.0, 3.0], [2.0, 6.0]], [[1.0, 1.0], [0.0, 2.0]]])  # 2 texts of 2 tokens
WEIGHTS = torch.tensor([[1.0, 2.0], [1.0, 0.5]])
COUNTS = torch.tensor([3.0, 1.0])


def test_no_norm_multiplies():
    expected = torch.tensor([[[1.0, 3.0], [4.0, 12.0]], [[1.0, 1.0], [0.0, 1.0]]])
    assert torch.equal(emphasise(STATES, WEIGHTS, COUNTS, "No norm"), expected)


def test_original_restores_the_mean_over_every_text_as_often_as_it_occurs():
    # Means 3 and 1, weighted 5 and 0.75; the first text occurs three times.
    factor = (3 * 3 + 1) / (3 * 5 + 0.75)
    torch.testing.assert_close(emphasise(STATES, WEIGHTS, COUNTS, "Original"), emphasise(STATES, WEIGHTS, COUNTS, "No norm") * factor)


@pytest.mark.parametrize("mode", ["None", "Ignore"])
def test_others_change_nothing(mode: str):
    assert torch.equal(emphasise(STATES, WEIGHTS, COUNTS, mode), STATES)


def test_a_mean_of_zero_leaves_the_states_finite():
    centred = torch.tensor([[[1.0, -1.0], [2.0, -2.0]]])
    weights = torch.tensor([[1.0, 2.0]])
    assert torch.equal(emphasise(centred, weights, torch.ones(1), "Original"), centred * weights[:, :, None])


def test_a_mode_that_there_is_not_is_refused():
    with pytest.raises(BadRequest, match='Did you mean "No norm"'):
        check_mode("No norms")
