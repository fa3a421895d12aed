"""What is the model asked at each step, and how is its answer judged?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field


@dataclass(frozen=True)
class LossSettings(Settings):
    """The loss."""

    distance: Literal["l2", "huber"] = field("l2", label="Distance", help="huber (pseudo-Huber, arXiv:2403.16728) minds outliers less.")
    huber_schedule: Literal["constant", "exponential", "snr"] = field("snr", label="Huber: schedule", advanced=True)
    huber_c: float = field(0.1, label="Huber: c", minimum=1e-4, maximum=10, help="From where on outliers count less.", advanced=True)
    weighting: Literal["none", "min_snr", "debiased"] = field(
        "none", label="Weighting", help="min_snr (arXiv:2303.09556), debiased estimation (arXiv:2310.08442)."
    )
    min_snr_gamma: float = field(5.0, label="Min-SNR: gamma", minimum=0.01, maximum=100, advanced=True)
    noise_offset: float = field(0.0, label="Noise offset", minimum=0, maximum=1, help="For very bright and very dark pictures.")
    pyramid_noise: float = field(0.0, label="Pyramid noise", minimum=0, maximum=0.99, help="How much each coarser level adds; 0: none.")
    pyramid_levels: int = field(6, label="Pyramid noise: levels", minimum=1, maximum=12, advanced=True)
    input_perturbation: float = field(0.0, label="Input perturbation", minimum=0, maximum=1, help="arXiv:2301.11706", advanced=True)
    zero_terminal_snr: bool = field(
        False, label="Zero terminal SNR", help="The last step is pure noise (arXiv:2305.08891); for v-prediction.", advanced=True
    )
    first_timestep: int = field(0, label="Timesteps from", minimum=0, maximum=999, advanced=True)
    last_timestep: int = field(999, label="Timesteps to", minimum=0, maximum=999, advanced=True)
    timestep_bias: Literal["none", "early", "late", "middle"] = field(
        "none", label="Timesteps more often", help="early: little noise, details; late: much noise, composition; middle: logit-normal."
    )
    bias_strength: float = field(1.0, label="How much more often", minimum=0.1, maximum=10, advanced=True)

    def check(self) -> None:
        """BadRequest where settings contradict each other."""
        if self.first_timestep > self.last_timestep:
            raise BadRequest(f"loss.first_timestep is {self.first_timestep}, after loss.last_timestep, {self.last_timestep}.")
        if self.noise_offset and self.pyramid_noise:
            raise BadRequest("loss.noise_offset and loss.pyramid_noise both change the noise; choose one of them.")
