"""Which families of base models are loaded, and what about them no tensor's shape tells?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NoiseSchedule:
    """How training added noise; ``zero_snr`` says that the last step is pure noise (betas rescaled, arXiv:2305.08891)."""

    prediction_type: str = "epsilon"  # or "v_prediction"
    beta_start: float = 0.00085
    beta_end: float = 0.012
    beta_schedule: str = "scaled_linear"
    zero_snr: bool = False


@dataclass(frozen=True)
class TextFacts:
    """A text encoder of a single-file checkpoint: where it lies, how it is named, and what its tokenizer pads with."""

    prefixes: tuple[str, ...]
    hidden_act: str
    pad_token: str
    open_clip: bool = False
    drops_last_layer: bool = False
    projects: bool = False


@dataclass(frozen=True)
class Family:
    """``head_count`` or ``head_width``: attention has so many heads on every level, or heads so wide. The other is 0."""

    name: str
    text: tuple[TextFacts, ...]
    head_count: int = 0
    head_width: int = 0
    vae_scaling: float = 0.18215


_CLIP = TextFacts(("cond_stage_model.transformer.",), "quick_gelu", "<|endoftext|>")

FAMILIES = {
    "sd1": Family("sd1", (_CLIP,), head_count=8),
    # SD2 was trained on the states before the last layer: without that layer, the model's output is what the U-Net wants.
    "sd2": Family(
        "sd2",
        (TextFacts(("cond_stage_model.model.", "conditioner.embedders.0.model."), "gelu", "!", open_clip=True, drops_last_layer=True),),
        head_width=64,
    ),
    "sdxl": Family(
        "sdxl",
        (
            TextFacts(("conditioner.embedders.0.transformer.",), "quick_gelu", "<|endoftext|>"),
            TextFacts(("conditioner.embedders.1.model.",), "gelu", "!", open_clip=True, projects=True),
        ),
        head_width=64,
        vae_scaling=0.13025,
    ),
}
