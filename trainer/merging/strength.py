"""How much of a LoRA, or of another checkpoint, does each module get?"""

from __future__ import annotations

from collections.abc import Callable

from lib_extension.spec.merging import LoraSource, Mix, block_weights
from trainer.merging.topology import block_of

Strength = Callable[[str], float]  # of a module, by its path as in diffusers


def strength_of(source: LoraSource, family: str) -> Strength:
    """The product of the source's weight, that of the U-Net or the text encoders, and that of the module's block."""
    blocks = block_weights(source.blocks, family)

    def strength(module: str) -> float:
        part = source.unet if is_unet(module) else source.text_encoder
        return source.weight * part * blocks[block_of(module, family)] if source.blocks else source.weight * part

    return strength


def share_of(mix: Mix, family: str) -> Strength:
    """How much of the other checkpoint; of what lies outside the U-Net, as much as BASE says."""
    blocks = block_weights(mix.blocks, family)
    return lambda module: mix.share * blocks[block_of(module, family)]


def is_unet(module: str) -> bool:
    """Under diffusers' names or a LoRA file's own."""
    return not module.startswith(("text_encoder", "lora_te", "base_model.model.text_encoder"))
