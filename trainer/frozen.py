"""How are the frozen weights of a U-Net held in 8 or 4 bits while a network on top of them is trained?"""

from __future__ import annotations

from typing import Any

import bitsandbytes as bnb
from torch import nn

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.training.network import NetworkSettings


def check_base(base: str, settings: NetworkSettings) -> None:
    """BadRequest for a network that does not work on such weights."""
    if base != "as precision" and settings.kind in ("loha", "lokr"):
        raise BadRequest(f'memory.base "{base}" goes with lora and dora; this network is a "{settings.kind}".')


def quantise(checkpoint: Checkpoint, base: str) -> int:
    """Swaps the matrices of the U-Net's attention and feed-forward for ones in 8 (LLM.int8, arXiv:2208.07339) or 4 bits (NF4,
    arXiv:2305.14314); how many. To be called before a network is attached. diffusers' own way refuses to without a GPU.
    """
    if base == "as precision":
        return 0
    unet: Any = checkpoint.unet
    found = [(path, module) for path, module in unet.named_modules() if isinstance(module, nn.Linear) and ".attentions." in path]
    for path, module in found:
        parent, _, name = path.rpartition(".")
        setattr(unet.get_submodule(parent), name, _in_8_bits(module) if base == "8bit" else _in_4_bits(module))
    # By these peft knows which of its layers to use.
    unet.is_loaded_in_8bit, unet.is_loaded_in_4bit = base == "8bit", base == "nf4"
    return len(found)


class _In8Bits(bnb.nn.Linear8bitLt):
    """Keeps its scales when it is moved after they left the weight for the layer's state, as peft does to a DoRA's."""

    def init_8bit_state(self) -> None:
        weight: Any = self.weight
        if weight.SCB is None and self.state.SCB is not None:
            weight.CB = None
        else:
            super().init_8bit_state()


def _in_8_bits(module: nn.Linear) -> nn.Module:
    kind: Any = _In8Bits  # pyright takes the parameters of this and of those below from torch's classes
    made = kind(module.in_features, module.out_features, module.bias is not None, has_fp16_weights=False, threshold=6.0)
    values: Any = bnb.nn.Int8Params
    made.weight = values(module.weight.data, requires_grad=False, has_fp16_weights=False)
    made = _settled(made, module)
    made.init_8bit_state()
    return made


def _in_4_bits(module: nn.Linear) -> nn.Module:
    width = module.weight.dtype
    kind: Any = bnb.nn.Linear4bit
    made = kind(module.in_features, module.out_features, module.bias is not None, compute_dtype=width, quant_type="nf4")
    values: Any = bnb.nn.Params4bit
    made.weight = values(module.weight.data, requires_grad=False, quant_type="nf4")
    return _settled(made, module)


def _settled(made: Any, module: nn.Linear) -> Any:
    """Moving to a device is what quantises."""
    if module.bias is not None:
        made.bias = nn.Parameter(module.bias.data, requires_grad=False)
    return made.to(module.weight.device).train(module.training).requires_grad_(False)
