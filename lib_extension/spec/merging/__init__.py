"""What can be asked of the merge utility? One class a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.merging.blocks import BLOCKS, PRESETS, block_weights
from lib_extension.spec.merging.methods import Concatenate, Dare, Linear, Method, Prune, Svd, Ties
from lib_extension.spec.merging.ranks import Ranks
from lib_extension.spec.merging.sources import CheckpointSource, LoraSource, Output, Precision
from lib_extension.spec.settings import Settings, field

__all__ = [
    "BLOCKS",
    "COMMANDS",
    "PRESETS",
    "BakeSettings",
    "CheckpointSource",
    "Concatenate",
    "ConvertSettings",
    "Dare",
    "ExtractSettings",
    "InspectSettings",
    "Linear",
    "LoraSource",
    "MergeSettings",
    "Method",
    "Mix",
    "Output",
    "Precision",
    "Prune",
    "Ranks",
    "ResizeSettings",
    "Svd",
    "Ties",
    "block_weights",
]


@dataclass(frozen=True, kw_only=True)
class MergeSettings(Settings):
    """Several LoRAs become one."""

    loras: tuple[LoraSource, ...] = field(label="LoRAs")
    method: Method = field(Concatenate(kind="concatenate"), label="Method")
    base: str = field("", label="Checkpoint", names="checkpoints", help="Needed for DoRAs: what they change depends on it.", advanced=True)
    output: Output = field(Output(), label="Result")

    def check(self) -> None:
        """BadRequest without a LoRA."""
        if not self.loras:
            raise BadRequest("loras is empty; name at least one LoRA.")


@dataclass(frozen=True, kw_only=True)
class Mix(Settings):
    """A checkpoint that another one is mixed with."""

    kind: Literal["weighted", "difference"] = field(
        "weighted", label="Kind", help="weighted: (1 − share) of A, and share of B. difference: A, and share of B − C."
    )
    other: CheckpointSource = field(label="B")
    minus: CheckpointSource | None = field(None, label="C")
    share: float = field(0.5, label="Share", minimum=-4, maximum=4, step=0.05)
    blocks: str = field("", label="Block weights", help="Multiply the share; a preset, or 12, 17, 20 or 26 numbers.", advanced=True)

    def check(self) -> None:
        """BadRequest for a C where none is used, and for none where one is."""
        block_weights(self.blocks)
        if (self.kind == "difference") != (self.minus is not None):
            raise BadRequest('The kind "difference" needs a checkpoint `minus`, and "weighted" has none.')


@dataclass(frozen=True, kw_only=True)
class BakeSettings(Settings):
    """LoRAs, or another checkpoint, become part of a checkpoint."""

    checkpoint: CheckpointSource = field(label="Checkpoint (A)")
    mix: Mix | None = field(None, label="Mix with")
    loras: tuple[LoraSource, ...] = field((), label="LoRAs")
    output: Output = field(Output(), label="Result")

    def check(self) -> None:
        """BadRequest where there is nothing to bake."""
        if not self.loras and self.mix is None:
            raise BadRequest("There is nothing to bake: name LoRAs, or a checkpoint to mix with.")


@dataclass(frozen=True, kw_only=True)
class ExtractSettings(Settings):
    """The difference of two checkpoints becomes a LoRA."""

    base: CheckpointSource = field(label="Base")
    tuned: CheckpointSource = field(label="Trained further")
    ranks: Ranks = field(Ranks(), label="Rank")
    modules: Literal["attention", "all"] = field("attention", label="Modules", help="all: with the convolutions outside attention.")
    text_encoder: bool = field(True, label="Text encoders too")
    least: float = field(
        0.0, label="Least change", minimum=0, help="Modules of which no weight changes by more are left out.", advanced=True
    )
    iterations: int = field(1, label="Power iterations", minimum=0, maximum=8, help="More are more exact and take longer.", advanced=True)
    seed: int = field(0, label="Seed", minimum=0, maximum=2**32 - 1, advanced=True)
    output: Output = field(Output(precision="fp16"), label="Result")


@dataclass(frozen=True, kw_only=True)
class ResizeSettings(Settings):
    """A LoRA gets a lower rank."""

    file: str = field(label="LoRA", names="loras")
    ranks: Ranks = field(Ranks(rank=16), label="Rank")
    output: Output = field(Output(), label="Result")


@dataclass(frozen=True, kw_only=True)
class ConvertSettings(Settings):
    """A LoRA gets other names, another precision, or another type."""

    file: str = field(label="LoRA", names="loras", help="A .safetensors file, or a folder that peft wrote.")
    naming: Literal["kohya", "diffusers", "peft"] = field(
        "kohya", label="Names", help="kohya: for A1111, ComfyUI and InvokeAI. peft: a folder with one adapter a network."
    )
    type: Literal["same", "lora"] = field("same", label="Type", help="lora: LoHa, LoKr and full changes become LoRA, by SVD.")
    ranks: Ranks = field(Ranks(), label="Rank", help="Of what becomes LoRA.", advanced=True)
    output: Output = field(Output(), label="Result")


@dataclass(frozen=True, kw_only=True)
class InspectSettings(Settings):
    """What is in a file?"""

    file: str = field(label="File", help="A LoRA or a checkpoint.")
    plot: str = field("", label="Plot", help="Where a PNG with the strength of every block goes; empty: none.")
    contents: str = field("", label="Contents", help="Where all that is found goes as a JSON file; empty: nowhere.")


COMMANDS: dict[str, type[Settings]] = {
    "merge": MergeSettings,
    "bake": BakeSettings,
    "extract": ExtractSettings,
    "resize": ResizeSettings,
    "convert": ConvertSettings,
    "inspect": InspectSettings,
}
