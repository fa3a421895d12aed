"""How do the pictures of a class, which are to stay as they are, count beside those of the subject?"""

from __future__ import annotations

from torch import Tensor


def with_prior(losses: Tensor, weights: Tensor) -> Tensor:
    """Each picture's loss times its weight, (B,): lambda for pictures of the class (Ruiz et al. 2022, arXiv:2208.12242, equation 2)."""
    return losses * weights
