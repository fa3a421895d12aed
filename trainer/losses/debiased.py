"""How much does a timestep count by debiased estimation?"""

from __future__ import annotations

from torch import Tensor


def debiased_weight(snr: Tensor, prediction_type: str) -> Tensor:
    """Yu et al. 2023, arXiv:2310.08442: 1 / sqrt(SNR) for noise; for v, as much of the picture's error: sqrt(SNR) / (SNR + 1).

    (A distance between two noises is SNR / (SNR + 1) times that between the v that mean the same pictures.)
    """
    return snr.sqrt() / (snr + 1) if prediction_type == "v_prediction" else snr.rsqrt()
