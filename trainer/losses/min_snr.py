"""How much does a timestep count by min-SNR-gamma?"""

from __future__ import annotations

from torch import Tensor


def min_snr_weight(snr: Tensor, gamma: float, prediction_type: str) -> Tensor:
    """Hang et al. 2023, arXiv:2303.09556, section 3.4: min(SNR, gamma) / SNR for noise, min(SNR, gamma) / (SNR + 1) for v.

    A distance between two v is SNR + 1 times that between the pictures they mean, one between two noises SNR times.
    """
    return snr.clamp(max=gamma) / (snr + 1 if prediction_type == "v_prediction" else snr)
