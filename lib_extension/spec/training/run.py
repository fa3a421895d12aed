"""How long is trained, and what is kept, shown and measured on the way?"""

from __future__ import annotations

from dataclasses import dataclass

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field


@dataclass(frozen=True, kw_only=True)
class SampleSettings(Settings):
    """A picture that is made again and again while training, always from the same seed."""

    prompt: str = field(label="Prompt", prompt=True, multiline=True)
    negative_prompt: str = field("", label="Negative prompt", prompt=True, multiline=True)
    width: int | None = field(None, label="Width", minimum=64, maximum=4096, step=8, help="Empty: the training's resolution.")
    height: int | None = field(None, label="Height", minimum=64, maximum=4096, step=8, help="Empty: the training's resolution.")
    steps: int = field(20, label="Sampling steps", minimum=1, maximum=150)
    cfg_scale: float = field(7.0, label="CFG scale", minimum=1, maximum=30, step=0.5)
    seed: int = field(1, label="Seed", minimum=0, maximum=2**32 - 1)

    def check(self) -> None:
        """Sizes that the VAE can make."""
        for name, value in (("width", self.width), ("height", self.height)):
            if value is not None and value % 8:
                raise BadRequest(f"A sample's {name} is {value}; it must be a multiple of 8.")


@dataclass(frozen=True, kw_only=True)
class RunSettings(Settings):
    """A run: its length, its seed, and what it leaves behind."""

    steps: int = field(1500, label="Steps", minimum=1, maximum=10_000_000, help="How often the optimizer is called.")
    epochs: int | None = field(
        None, label="Epochs", minimum=1, maximum=100_000, help="Instead of steps: how often every picture is seen, times its repeats."
    )
    seed: int = field(0, label="Seed", minimum=0, maximum=2**63 - 1, help="The same settings and seed train the same LoRA.")
    save_every: int = field(250, label="Save every", minimum=0, help="Steps between two saved states and LoRA files; 0: at the end only.")
    keep_states: int = field(2, label="Keep states", minimum=1, help="How many saved states stay; older ones are removed.", advanced=True)
    keep_files: int = field(0, label="Keep LoRA files", minimum=0, help="How many of the saved LoRA files stay; 0: all.", advanced=True)
    ema: float = field(
        0.0,
        label="EMA",
        minimum=0,
        maximum=0.99999,
        advanced=True,
        help="Decay of a running mean of the weights, which is then what is saved and shown, such as 0.999; 0: none.",
    )
    samples: tuple[SampleSettings, ...] = field((), label="Samples", help="Pictures that show how the training goes.")
    sample_every: int = field(0, label="Sample every", minimum=0, help="Steps between samples; 0: at the start and end only.")
    sample_first: bool = field(True, label="Sample before the first step", advanced=True)
    sample_by: str = field(
        "",
        label="Samples by a WebUI",
        advanced=True,
        help="Address of a WebUI, which draws the samples with the saved LoRA file instead of the trainer; "
        "the LoRA folder must be its own.",
    )
    validate_every: int = field(
        0, label="Validate every", minimum=0, help="Steps between losses on pictures kept apart; 0: at the end only."
    )
    tensorboard: bool = field(False, label="TensorBoard", advanced=True, help="Write its log into the run's folder, too.")
    plot: bool = field(True, label="Plot of the loss", advanced=True, help="Draw loss.png at every save.")
    bad_steps: int = field(
        10,
        label="Bad steps",
        minimum=1,
        advanced=True,
        help="Steps in a row without a finite loss until the training stops; one is skipped.",
    )
