"""Is the change of a weight what the papers' equations give, for every method and form?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lib_extension.models.lora_delta import bias_delta, delta, fits, needs_base


def t(*rows: object) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32)


ZERO = torch.zeros(2, 2)


def test_lora_by_hand() -> None:
    parts = {"up": t([1], [2]), "down": t([3, 4]), "alpha": torch.tensor(0.5)}
    assert delta(parts, ZERO).tolist() == [[1.5, 2], [3, 4]]
    assert delta(parts, ZERO, scale=2).tolist() == [[6, 8], [12, 16]]
    del parts["alpha"]
    assert delta(parts, ZERO).tolist() == [[3, 4], [6, 8]]


def test_lora_of_rank_2_is_divided_by_its_rank() -> None:
    parts = {"up": torch.eye(2), "down": t([1, 2], [3, 4]), "alpha": torch.tensor(1)}
    assert delta(parts, ZERO).tolist() == [[0.5, 1], [1.5, 2]]


def test_convolutions_equal_their_steps_one_after_the_other() -> None:
    torch.manual_seed(0)
    picture = torch.randn(1, 6, 7, 7)
    down, up = torch.randn(3, 6, 3, 3), torch.randn(5, 3, 1, 1)
    change = delta({"up": up, "down": down}, torch.zeros(5, 6, 3, 3))
    stepwise = torch.conv2d(torch.conv2d(picture, down, padding=1), up)
    torch.testing.assert_close(torch.conv2d(picture, change, padding=1), stepwise, rtol=1e-4, atol=1e-4)
    first, core = torch.randn(3, 6, 1, 1), torch.randn(3, 3, 3, 3)
    change = delta({"up": up, "down": first, "mid": core}, torch.zeros(5, 6, 3, 3))
    stepwise = torch.conv2d(torch.conv2d(torch.conv2d(picture, first), core, padding=1), up)
    torch.testing.assert_close(torch.conv2d(picture, change, padding=1), stepwise, rtol=1e-4, atol=1e-4)


def test_loha_by_hand() -> None:
    """(w1_a w1_b) ⊙ (w2_a w2_b), by 2 / 1."""
    parts = {
        "hada_w1_a": t([1], [2]),
        "hada_w1_b": t([1, 3]),
        "hada_w2_a": t([2], [1]),
        "hada_w2_b": t([1, -1]),
        "alpha": torch.tensor(2.0),
    }
    assert delta(parts, ZERO).tolist() == [[4, -12], [4, -12]]


def test_loha_in_tucker_form() -> None:
    """With a core of rank 1 each factor is an outer product of four vectors."""
    parts = {
        "hada_t1": t([[[1, 2]]]).reshape(1, 1, 1, 2),
        "hada_w1_a": t([1, 2]),  # (1, out)
        "hada_w1_b": t([3]),  # (1, in)
        "hada_t2": t([[[1, 1]]]).reshape(1, 1, 1, 2),
        "hada_w2_a": t([1, -1]),
        "hada_w2_b": t([2]),
    }
    assert delta(parts, torch.zeros(2, 1, 1, 2)).tolist() == [[[[6, 12]]], [[[-12, -24]]]]


def test_lokr_by_hand() -> None:
    whole = {"lokr_w1": t([1, 2]), "lokr_w2": t([1], [3]), "alpha": torch.tensor(64.0)}
    assert delta(whole, ZERO).tolist() == [[1, 2], [3, 6]]  # no rank, so alpha means nothing
    decomposed = {"lokr_w1": t([1, 2]), "lokr_w2_a": t([1], [3]), "lokr_w2_b": t([1]), "alpha": torch.tensor(0.5)}
    assert delta(decomposed, ZERO).tolist() == [[0.5, 1], [1.5, 3]]
    small = {"lokr_w1_a": t([1, 1]), "lokr_w1_b": t([1, 2], [0, 0]), "lokr_w2": t([1], [3]), "alpha": torch.tensor(1)}
    assert delta(small, ZERO).tolist() == [[0.5, 1], [1.5, 3]]  # the small factor's rank, 2, where the large one has none


def test_lokr_of_convolutions_in_every_form() -> None:
    torch.manual_seed(1)
    base = torch.zeros(6, 4, 3, 3)
    small, large = torch.randn(2, 2), torch.randn(3, 2, 3, 3)
    expected = torch.einsum("ab,cdhw->acbdhw", small, large).reshape(6, 4, 3, 3)
    torch.testing.assert_close(delta({"lokr_w1": small, "lokr_w2": large}, base), expected)
    flat = {"lokr_w1": small, "lokr_w2_a": torch.eye(3), "lokr_w2_b": large.reshape(3, -1)}
    torch.testing.assert_close(delta(flat, base), expected)
    core, out, into = torch.randn(2, 2, 3, 3), torch.randn(2, 3), torch.randn(2, 2)
    large = torch.einsum("abhw,ac,bd->cdhw", core, out, into)
    expected = torch.einsum("ab,cdhw->acbdhw", small, large).reshape(6, 4, 3, 3)
    tucker = {"lokr_w1": small, "lokr_t2": core, "lokr_w2_a": out, "lokr_w2_b": into}
    torch.testing.assert_close(delta(tucker, base), expected)


BASE = t([3, 1], [0, 0])
TO_3_4 = {"up": t([0], [1]), "down": t([4, 0])}  # makes [[3, 1], [4, 0]]: columns 5 and 1 long, rows √10 and 4


def test_dora_of_columns_as_in_the_paper() -> None:
    change = delta(TO_3_4 | {"dora_scale": t([10, 2])}, BASE)  # (1, in)
    torch.testing.assert_close(change, t([6 - 3, 2 - 1], [8, 0]))


@pytest.mark.parametrize("magnitude", [{"dora_magnitude": t(10**0.5, 8)}, {"dora_scale": t([10**0.5], [8])}])
def test_dora_of_rows_as_in_peft(magnitude: dict[str, Tensor]) -> None:
    torch.testing.assert_close(delta(TO_3_4 | magnitude, BASE), t([0, 0], [8, 0]))


def test_dora_of_a_convolution() -> None:
    torch.manual_seed(2)
    base, up, down = torch.randn(5, 4, 3, 3), torch.randn(5, 2, 1, 1), torch.randn(2, 4, 3, 3)
    merged = base + torch.einsum("or,rihw->oihw", up[:, :, 0, 0], down)
    columns = torch.rand(1, 4, 1, 1)
    made = base + delta({"up": up, "down": down, "dora_scale": columns}, base)
    torch.testing.assert_close(made.transpose(0, 1).flatten(1).norm(dim=1), columns.flatten(), rtol=1e-5, atol=1e-5)
    rows = torch.rand(1, 5, 1, 1)  # peft's shape for a convolution
    made = base + delta({"up": up, "down": down, "dora_magnitude": rows}, base)
    torch.testing.assert_close(made.flatten(1).norm(dim=1), rows.flatten(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(made[0] / made[0].norm(), merged[0] / merged[0].norm(), rtol=1e-5, atol=1e-5)


def test_full_differences() -> None:
    parts = {"diff": t([1, 2], [3, 4]), "diff_b": t(5, 6), "alpha": torch.tensor(3.0)}
    assert delta(parts, ZERO).tolist() == [[1, 2], [3, 4]]
    bias = bias_delta(parts)
    assert bias is not None
    assert bias.tolist() == [5, 6]
    assert bias_delta(TO_3_4) is None


def test_only_dora_needs_the_base() -> None:
    assert needs_base({"dora_scale": 0})
    assert needs_base({"dora_magnitude": 0})
    assert not needs_base(TO_3_4)


def test_half_precision_is_added_up_in_full() -> None:
    parts = {"up": torch.full((1, 4096), 0.1, dtype=torch.float16), "down": torch.full((4096, 1), 0.1, dtype=torch.float16)}
    change = delta(parts, torch.zeros(1, 1, dtype=torch.float16))
    assert change.dtype == torch.float32
    assert change.item() == pytest.approx(4096 * float(torch.tensor(0.1).half()) ** 2, rel=1e-4)


@pytest.mark.parametrize(
    ("shapes", "weight", "fit"),
    [
        ({"up": (8, 2), "down": (2, 4), "alpha": ()}, (8, 4), True),
        ({"up": (8, 2), "down": (2, 5)}, (8, 4), False),
        ({"up": (8, 2), "down": (3, 4)}, (8, 4), False),
        ({"up": (4, 2), "down": (2, 8)}, (8, 4), False),  # as many values, but the other way round
        ({"up": (8, 2, 1, 1), "down": (2, 4, 3, 3)}, (8, 4, 3, 3), True),
        ({"up": (8, 2), "down": (2, 4, 1, 1)}, (8, 4), True),
        ({"up": (8, 2), "down": (2, 4), "mid": (2, 2, 3, 3)}, (8, 4, 3, 3), True),
        ({"up": (8,), "down": ()}, (8, 4), False),
        ({"up": (8, 2), "down": (2, 4), "dora_scale": (1, 4)}, (8, 4), True),
        ({"up": (8, 2), "down": (2, 4), "dora_scale": (1, 5)}, (8, 4), False),
        ({"hada_w1_a": (8, 2), "hada_w1_b": (2, 4), "hada_w2_a": (8, 2)}, (8, 4), False),
        ({"lokr_w1": (2, 2), "lokr_w2": (4, 2)}, (8, 4), True),
        ({"lokr_w1": (2, 2), "lokr_w2": (4, 3)}, (8, 4), False),
        ({"diff": (8, 4)}, (8, 4), True),
        ({}, (8, 4), False),
    ],
)
def test_fits(shapes: dict[str, tuple[int, ...]], weight: tuple[int, ...], fit: bool) -> None:
    assert fits(shapes, weight) is fit
