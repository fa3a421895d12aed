"""How much memory and arithmetic does a step take? It is gone through with tensors that have shapes and no values.

Every tensor that a forward and backward pass makes is counted while it lives, at its real size, so that the peak is what the pass needs
besides weights, whatever the model, the network, checkpointing and batch. torch's own FLOP counter counts the arithmetic.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from lib_extension.models.checkpoint import Checkpoint, Placement
from lib_extension.spec.training import TrainingConfig
from trainer import networks
from trainer.data.latents import AT_ONCE
from trainer.families import FAMILIES, TextStates
from trainer.samples import sample_size

_TOKENS = 77


@dataclass(frozen=True)
class Rehearsed:
    """What a step takes besides the weights: bytes and floating-point operations."""

    weights: int  # bytes of what is frozen
    trained: tuple[int, ...]  # how many values each trained tensor has
    rows: tuple[int, ...]  # rows and columns of each, which is what Adafactor keeps
    peak: int  # bytes of everything that a step makes, at once
    operations: int  # of forward and backward
    encoding_peak: int  # bytes of encoding as many pictures as are encoded together
    encoding: int  # operations of encoding one picture
    drawing: int  # bytes of the VAE and of decoding a sample with it; 0 where none is drawn here
    encoders: int  # bytes of VAE and text encoders
    whole: int  # bytes of the base model with both, as it is held to draw with: never quantised
    text_width: int  # values of a token's state


class Living(TorchDispatchMode):
    """Counts the bytes of tensors that were made while it was on and are still there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key not in self._known:
            self._known.add(key)
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def rehearse(
    config: TrainingConfig, checkpoint: Checkpoint, precision: str, pictures: int, size: tuple[int, int], on_gpu: bool = False
) -> Rehearsed:
    """A step with so many pictures of a size (height, width). `checkpoint` has shapes only; afterwards it cannot be used."""
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision, torch.float32)
    networks.attach(checkpoint, config.network)
    with FakeTensorMode():
        frozen = _with_shapes(checkpoint, dtype, config)
        parameters = [one for network in (checkpoint.unet, *checkpoint.text_encoders) for one in network.parameters() if one.requires_grad]
        if config.memory.gradient_checkpointing:
            checkpoint.unet.enable_gradient_checkpointing()
        checkpoint.unet.train()
        together = max(1, AT_ONCE // (size[0] * size[1])) if on_gpu else 1
        step, encode = _step(config, checkpoint, dtype, pictures, size), _encode(checkpoint, size, together)
        peak, operations = _counted(step)
        encoding_peak, encoding = _counted(encode)
        drawing = _drawing(config, checkpoint, dtype)
    return Rehearsed(
        weights=frozen,
        trained=tuple(parameter.numel() for parameter in parameters),
        rows=tuple(sum(parameter.shape) if parameter.ndim > 1 else parameter.numel() for parameter in parameters),
        peak=peak - 4 * sum(parameter.numel() for parameter in parameters),  # of the gradients, which are counted by themselves
        operations=operations,
        encoding_peak=encoding_peak,
        encoding=encoding // together,
        drawing=drawing,
        encoders=sum(4 * one.numel() for network in (checkpoint.vae, *checkpoint.text_encoders) for one in network.parameters()),
        whole=sum(
            one.numel() * one.element_size()
            for network in (checkpoint.unet, checkpoint.vae, *checkpoint.text_encoders)
            for one in network.parameters()
            if not one.requires_grad
        ),
        text_width=checkpoint.unet.config["cross_attention_dim"],
    )


def _counted(work: Callable[[], None]) -> tuple[int, int]:
    gc.collect()  # so that when the next collection comes, which frees what checkpointing leaves in circles, is no chance
    living, counter = Living(), FlopCounterMode(display=False)
    with living, counter:
        work()
    return living.peak, counter.get_total_flops()


def _with_shapes(checkpoint: Checkpoint, dtype: torch.dtype, config: TrainingConfig) -> int:
    """Puts the networks on a processor that computes nothing; gives the bytes of those that steps hold."""
    for network, kind in ((checkpoint.unet, dtype), (checkpoint.vae, torch.float32), *((one, dtype) for one in checkpoint.text_encoders)):
        _fill(network, kind)
    learns = config.network.text_encoder or config.network.text_encoder_2
    held = [] if config.data.cache_latents else [checkpoint.vae]
    held += [] if config.data.cache_text and not learns else list(checkpoint.text_encoders)
    frozen = [one for network in held for one in network.parameters() if not one.requires_grad]
    return _unet_bytes(checkpoint, config) + sum(one.numel() * one.element_size() for one in frozen)


def _fill(network: nn.Module, dtype: torch.dtype) -> None:
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            learns = parameter.requires_grad
            made = torch.empty(parameter.shape, dtype=torch.float32 if learns else dtype)
            module._parameters[name] = nn.Parameter(made, requires_grad=learns)
        for name, buffer in module.named_buffers(recurse=False):
            module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype)


def _unet_bytes(checkpoint: Checkpoint, config: TrainingConfig) -> int:
    """Matrices of 8 bits have a float32 for each row; of NF4, half a byte a value and a byte for every 64."""
    total = 0
    for name, one in checkpoint.unet.named_parameters():
        if one.requires_grad:
            continue
        small = config.memory.base != "as precision" and one.ndim == 2 and ".attentions." in name
        if not small:
            total += one.numel() * one.element_size()
        else:
            total += one.numel() + 4 * one.shape[0] if config.memory.base == "8bit" else one.numel() // 2 + one.numel() // 64
    return total


@dataclass(frozen=True)
class _Sizes:
    original_sizes: Tensor
    crops: Tensor
    target_sizes: Tensor


def _step(config: TrainingConfig, checkpoint: Checkpoint, dtype: torch.dtype, pictures: int, size: tuple[int, int]) -> Callable[[], None]:
    height, width = size
    count = -(-pictures // config.memory.parts)
    learning = [encoder for encoder in checkpoint.text_encoders if any(one.requires_grad for one in encoder.parameters())]

    def step() -> None:
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            noisy = torch.empty(count, 4, height // 8, width // 8, dtype=dtype)
            answer = FAMILIES[checkpoint.family].predict(checkpoint.unet, noisy, torch.zeros(count).long(), _text(count), _sizes(count))
            loss = (answer.float() - torch.empty_like(noisy).float()).square().mean()
            for encoder in learning:
                loss = loss + encoder(torch.zeros(count, _TOKENS).long()).last_hidden_state.float().mean()
        loss.backward()

    def _text(count: int) -> TextStates:
        unet: Any = checkpoint.unet.config
        hidden = torch.empty(count, _TOKENS, unet["cross_attention_dim"], dtype=dtype)
        pooled = None
        if unet["addition_embed_type"]:
            pooled_width = unet["projection_class_embeddings_input_dim"] - 6 * unet["addition_time_embed_dim"]
            pooled = torch.empty(count, pooled_width, dtype=dtype)
        return TextStates(hidden, pooled)

    def _sizes(count: int) -> _Sizes:
        pair = torch.zeros(count, 2)
        return _Sizes(pair, pair, pair)

    return step


def _encode(checkpoint: Checkpoint, size: tuple[int, int], pictures: int) -> Callable[[], None]:
    @torch.no_grad()
    def encode() -> None:
        checkpoint.vae.encode(torch.empty(pictures, 3, *size), return_dict=False)

    return encode


def _drawing(config: TrainingConfig, checkpoint: Checkpoint, dtype: torch.dtype) -> int:
    if not config.run.samples or config.run.sample_by:
        return 0
    width, height = max((sample_size(config, sample) for sample in config.run.samples), key=lambda size: size[0] * size[1])
    kind = Placement(dtype=dtype).vae_dtype
    vae: Any = checkpoint.vae  # its decode is said to take another kind of tensor than it does
    _fill(vae, kind)

    @torch.no_grad()
    def decode() -> None:
        vae.decode(torch.empty(1, vae.config["latent_channels"], height // 8, width // 8, dtype=kind), return_dict=False)

    peak, _ = _counted(decode)
    return peak + sum(one.numel() * one.element_size() for one in vae.parameters())
