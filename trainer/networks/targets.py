"""Which modules of a model get a network, of which rank?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from torch import nn

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.models.clip_reading import READINGS
from lib_extension.spec.errors import BadRequest, near_miss
from lib_extension.spec.training.network import NetworkSettings
from trainer.networks.network import Target, networks_of

_ATTENTION = re.compile(r".*\.attn[12]\.(to_q|to_k|to_v|to_out\.0)")
_AROUND = re.compile(r".*\.(resnets|downsamplers|upsamplers)\..*")
_TEXT = re.compile(r"(?:text_model\.)?encoder\.layers\.(\d+)\..*")


def targets_of(checkpoint: Checkpoint, settings: NetworkSettings) -> dict[str, list[Target]]:
    """By network ("unet", …), the modules that get one. Raises BadRequest for a pattern that fits no module, and where none is left."""
    networks = networks_of(checkpoint)
    wanted = {"unet": settings.unet, "text_encoder": settings.text_encoder, "text_encoder_2": settings.text_encoder_2}
    if settings.text_encoder_2 and "text_encoder_2" not in networks:
        raise BadRequest(f'network.text_encoder_2 is on, but the checkpoint "{checkpoint.name}" is {checkpoint.family}, with one encoder.')
    changeable = {name: dict(_changeable(networks[name])) for name in networks if wanted[name]}
    _check_patterns(settings, [f"{name}.{path}" for name, modules in changeable.items() for path in modules])
    found = {name: list(_chosen(checkpoint, settings, name, modules)) for name, modules in changeable.items()}
    if not any(found.values()):
        raise BadRequest("network leaves no module to be trained: every rank is 0.")
    return {name: targets for name, targets in found.items() if targets}


def _chosen(checkpoint: Checkpoint, settings: NetworkSettings, name: str, modules: dict[str, nn.Module]) -> Iterator[Target]:
    for path, module in modules.items():
        whole = f"{name}.{path}"
        block, convolution = settings.block(whole), _is_convolution(module)
        if not (_is_usual(checkpoint, settings, name, path) or (block and block.rank)):
            continue
        rank = settings.rank_of(whole, convolution=convolution)
        if rank:
            yield Target(path, rank, settings.scale_of(whole, convolution=convolution))


def _is_usual(checkpoint: Checkpoint, settings: NetworkSettings, name: str, path: str) -> bool:
    """Whether a module gets a network without being named."""
    if name != "unet":
        layer = _TEXT.fullmatch(path)
        return layer is not None and int(layer[1]) < _layers_read(checkpoint, name)
    if settings.targets == "attention":
        return _ATTENTION.fullmatch(path) is not None
    return ".attentions." in path or (settings.conv_rank > 0 and _AROUND.fullmatch(path) is not None)


def _layers_read(checkpoint: Checkpoint, name: str) -> int:
    """SDXL's first encoder is read before its last layer, which so can learn nothing; the second's last makes the pooled text."""
    place = 0 if name == "text_encoder" else 1
    model, reading = checkpoint.text_encoders[place], READINGS[checkpoint.family][place]
    pools = hasattr(model, "text_projection")
    return model.config.num_hidden_layers - (0 if pools else (reading.layer or 1) - 1)


def _changeable(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    return ((path, module) for path, module in network.named_modules() if isinstance(module, (nn.Linear, nn.Conv2d)))


def _is_convolution(module: nn.Module) -> bool:
    """A 1 × 1 convolution is a matrix."""
    return isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1)


def _check_patterns(settings: NetworkSettings, paths: list[str]) -> None:
    for number, block in enumerate(settings.blocks):
        if not any(fnmatchcase(path, block.pattern) for path in paths):
            guess = near_miss(block.pattern, paths) or f" A module's path is, say, {paths[0]}."
            raise BadRequest(f'network.blocks[{number}].pattern is "{block.pattern}", which fits no module that is trained.{guess}')
