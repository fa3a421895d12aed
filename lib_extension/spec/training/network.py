"""What is added to the base model and trained: of which kind, how large, and where?"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field

Kind = Literal["lora", "loha", "lokr", "dora"]


@dataclass(frozen=True)
class BlockSettings(Settings):
    """What differs in some of the modules."""

    pattern: str = field(label="Modules", help="By their paths in diffusers, with * for anything: unet.down_blocks.0.*, *.attn2.to_k")
    rank: int | None = field(None, label="Rank", minimum=0, maximum=1024, help="0 leaves these modules as they are.")
    alpha: float | None = field(None, label="Alpha", minimum=0)
    rate: float = field(1.0, label="Learning rate ×", minimum=0, maximum=100)


@dataclass(frozen=True)
class NetworkSettings(Settings):
    """The network that is trained."""

    kind: Kind = field("lora", label="Kind", help="LoRA; LoHa and LoKr (LyCORIS); DoRA, LoRA with trained magnitudes.")
    rank: int = field(16, label="Rank", minimum=1, maximum=1024, help="How much it can hold, and how large the file gets.")
    alpha: float = field(16.0, label="Alpha", minimum=0.001, maximum=4096, help="The change is multiplied by alpha / rank.")
    targets: Literal["blocks", "attention"] = field(
        "blocks", label="In the U-Net", help="blocks: attention, feed-forward and projections; attention: its four matrices alone."
    )
    conv_rank: int = field(0, label="Rank of convolutions", minimum=0, maximum=1024, help="0: none. With them, a LoRA is a LoCon.")
    conv_alpha: float | None = field(None, label="Alpha of convolutions", minimum=0.001, maximum=4096, help="Empty: as their rank.")
    rank_stabilised: bool = field(
        False, label="Rank-stabilised", help="rsLoRA: the change is multiplied by alpha / √rank (arXiv:2312.03732).", advanced=True
    )
    unet: bool = field(True, label="Train the U-Net")
    text_encoder: bool = field(False, label="Train the text encoder")
    text_encoder_2: bool = field(False, label="Train SDXL's second text encoder")
    blocks: tuple[BlockSettings, ...] = field((), label="Other ranks and rates", help="The first that fits a module counts.", advanced=True)
    dropout: float = field(0.0, label="Dropout", minimum=0, maximum=0.99, help="Of what LoRA and DoRA are given.", advanced=True)
    factor: int = field(
        -1,
        label="Factor of LoKr",
        minimum=-1,
        maximum=1024,
        help="Size of the small Kronecker factor; -1: about equal ones.",
        advanced=True,
    )
    decompose_both: bool = field(False, label="LoKr: decompose both factors", advanced=True)
    tucker: bool = field(False, label="LoHa, LoKr: Tucker form", help="Of convolutions: smaller files.", advanced=True)
    magnitudes: Literal["inputs", "outputs"] = field(
        "inputs",
        label="DoRA: magnitudes of",
        help="inputs: what the WebUI reads (arXiv:2402.09353, columns). outputs: what diffusers and peft read.",
        advanced=True,
    )
    start_from: str = field("", label="Start from", names="loras", help="A LoRA file of the same kind, of any trainer.")

    def check(self) -> None:
        """BadRequest where nothing would be trained or a setting could have no effect."""
        if not (self.unet or self.text_encoder or self.text_encoder_2):
            raise BadRequest("network trains nothing: set network.unet, network.text_encoder or network.text_encoder_2.")
        if self.dropout and self.kind not in ("lora", "dora"):
            raise BadRequest(f'network.dropout is {self.dropout:g}, but "{self.kind}" has none; leave it at 0.')
        if self.tucker and self.kind not in ("loha", "lokr"):
            raise BadRequest(f'network.tucker is for loha and lokr; this network is a "{self.kind}".')

    def block(self, path: str) -> BlockSettings | None:
        """What is said of the module `path`, "unet.…", "text_encoder.…" or "text_encoder_2.…"."""
        return next((block for block in self.blocks if fnmatchcase(path, block.pattern)), None)

    def rank_of(self, path: str, *, convolution: bool) -> int:
        """0 where the module is left as it is. `convolution`: it has a kernel larger than 1 × 1."""
        block = self.block(path)
        usual = self.conv_rank if convolution else self.rank
        return usual if block is None or block.rank is None else block.rank

    def scale_of(self, path: str, *, convolution: bool) -> float:
        """What the change of a module is multiplied by: alpha / rank, or alpha / √rank."""
        rank, block = self.rank_of(path, convolution=convolution), self.block(path)
        usual = (rank if self.conv_alpha is None else self.conv_alpha) if convolution else self.alpha
        alpha = usual if block is None or block.alpha is None else block.alpha
        return alpha / (rank**0.5 if self.rank_stabilised else rank)

    def rate_of(self, path: str) -> float:
        """What the learning rate of a module is multiplied by."""
        block = self.block(path)
        return 1.0 if block is None else block.rate
