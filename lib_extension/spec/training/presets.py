"""With which settings does a training begin, by the memory of the GPU? Three partial configurations, each with why it says what it says.

None of them says the resolution: that is the base model's, such as SDXL's 1,024 pixels, whatever the GPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """A partial TrainingConfig; what it leaves out has the defaults."""

    name: str
    title: str
    about: str
    config: Mapping[str, Any]


_SHARED: dict[str, Any] = {
    # Min-SNR balances what is learnt at much and at little noise, and converges in fewer steps at no cost in memory.
    "loss": {"weighting": "min_snr"},
    # The rate rises over a few steps, as the optimizer's first moments mean little, and falls so that the end is calm.
    "schedule": {"schedule": "cosine", "warmup_steps": 20},
}

PRESETS: tuple[Preset, ...] = (
    Preset(
        "small",
        "6 to 8 GB",
        "One picture at a time; the frozen base model in 4 bits, so that SDXL fits, too.",
        {
            **_SHARED,
            # One picture at a time, four of them to a step of the optimizer: the noise of four, the memory of one.
            "data": {"batch_size": 1},
            # Rank 8 holds an object or a person; its optimizer state is half of rank 16's.
            "network": {"rank": 8, "alpha": 8.0},
            "optimizer": {"optimizer": "auto", "learning_rate": 1e-4},
            # NF4 quarters the frozen base. There is nothing left after it that saves memory and learns the same.
            "memory": {"accumulation": 4, "gradient_checkpointing": True, "base": "nf4"},
            "run": {"steps": 600, "save_every": 150, "sample_every": 150},
        },
    ),
    Preset(
        "medium",
        "12 GB",
        "Two pictures at a time, the base model as it is.",
        {
            **_SHARED,
            # SDXL's weights take 5 GB in bf16; with activations computed twice, two pictures of 1,024 pixels fit beside them.
            "data": {"batch_size": 2},
            "network": {"rank": 16, "alpha": 16.0},
            "optimizer": {"optimizer": "auto", "learning_rate": 1e-4},
            "memory": {"accumulation": 2, "gradient_checkpointing": True, "auto_memory": True},
            "run": {"steps": 900, "save_every": 150, "sample_every": 150},
        },
    ),
    Preset(
        "large",
        "24 GB and more",
        "Four pictures at a time, and a larger network, which has room for a style.",
        {
            **_SHARED,
            "data": {"batch_size": 4},
            # There is room for a style, which needs more than one object does.
            "network": {"rank": 32, "alpha": 32.0},
            "optimizer": {"optimizer": "auto", "learning_rate": 1e-4},
            # Batches of four need no accumulation. Checkpointing stays: without it SDXL's activations alone fill 24 GB.
            "memory": {"accumulation": 1, "gradient_checkpointing": True, "auto_memory": True},
            "run": {"steps": 1200, "save_every": 200, "sample_every": 200},
        },
    ),
)
