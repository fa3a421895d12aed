"""How are the weights changed at each step, and how does the learning rate go?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from lib_extension.spec.errors import BadRequest, near_miss
from lib_extension.spec.settings import Settings, field

OPTIMIZERS = ("auto", "AdamW8bit", "PagedAdamW8bit", "Lion8bit", "AdamW", "Adafactor", "Prodigy", "ScheduleFree")


@dataclass(frozen=True)
class OptimizerSettings(Settings):
    """The optimizer."""

    optimizer: str = field(
        "auto",
        label="Optimizer",
        help="auto: AdamW8bit where it works, else AdamW. Or PagedAdamW8bit, Lion8bit, Adafactor, Prodigy, ScheduleFree, or any class by "
        "its dotted name: package.module.Class.",
    )
    learning_rate: float = field(
        1e-4, label="Learning rate", minimum=0, maximum=10, help="Prodigy finds its own, one for all, and wants 1 here."
    )
    text_encoder_rate: float | None = field(
        None, label="Learning rate of the text encoder", minimum=0, maximum=10, help="Empty: half of the U-Net's."
    )
    text_encoder_2_rate: float | None = field(
        None, label="Learning rate of SDXL's second text encoder", minimum=0, maximum=10, help="Empty: as the first one's."
    )
    weight_decay: float = field(0.01, label="Weight decay", minimum=0, maximum=10, advanced=True)
    max_grad_norm: float = field(1.0, label="Gradients are clipped to", minimum=0, help="Their norm; 0: not at all.", advanced=True)
    arguments: dict[str, Any] = field({}, label="Further arguments", help="By the class's own names, such as betas or eps.", advanced=True)

    def check(self) -> None:
        """BadRequest for a name that is neither one of ours nor a dotted one."""
        if self.optimizer not in OPTIMIZERS and "." not in self.optimizer:
            guess = near_miss(self.optimizer, OPTIMIZERS) or f" There are: {', '.join(OPTIMIZERS)}; or a dotted name."
            raise BadRequest(f'optimizer.optimizer is "{self.optimizer}", which is not known.{guess}')
        if self.optimizer == "Prodigy" and self.learning_rate < 0.01:
            told = f"optimizer.learning_rate is {self.learning_rate:g}, but Prodigy finds the rate itself and multiplies it by that."
            raise BadRequest(f"{told} Set it to 1.")
        for name in ("text_encoder_rate", "text_encoder_2_rate"):
            rate = getattr(self, name)
            if self.optimizer == "Prodigy" and rate not in (None, self.learning_rate):
                raise BadRequest(
                    f"optimizer.{name} is {rate:g}, but Prodigy finds one rate for all. Leave it out, or take another optimizer."
                )

    def rate_of(self, network: str) -> float:
        """The learning rate of "unet", "text_encoder" or "text_encoder_2"."""
        first = self.learning_rate / 2 if self.text_encoder_rate is None else self.text_encoder_rate
        second = first if self.text_encoder_2_rate is None else self.text_encoder_2_rate
        return {"unet": self.learning_rate, "text_encoder": first, "text_encoder_2": second}[network]


@dataclass(frozen=True)
class ScheduleSettings(Settings):
    """How the learning rate goes over the run."""

    schedule: Literal["constant", "cosine", "restarts", "linear", "polynomial"] = field("constant", label="Schedule")
    warmup_steps: int = field(0, label="Warm-up", minimum=0, help="Steps in which the rate rises from 0.")
    cycles: int = field(3, label="Restarts: cycles", minimum=1, maximum=1000, advanced=True)
    power: float = field(2.0, label="Polynomial: power", minimum=0.1, maximum=20, advanced=True)
    lowest: float = field(0.0, label="Lowest", minimum=0, maximum=1, help="The share of the rate that it falls to.", advanced=True)
