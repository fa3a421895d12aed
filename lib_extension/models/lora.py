"""How do LoRA files change a checkpoint's weights, and how does it get its own back?

W' = W + the sum of weight * change, where each file's method says what its change is (lora_delta.py). The base weights of what was
changed are kept, so that every list of LoRAs starts from them, and none leaves a rounding error behind.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from lib_extension.formats.base_model import what_is
from lib_extension.formats.lora_keys import ParsedLora, resolve
from lib_extension.formats.safetensors_header import Header, read_header
from lib_extension.models.checkpoint import Checkpoint
from lib_extension.models.library import Found, refuse_pickle
from lib_extension.models.lora_delta import METHODS, bias_delta, delta, fits, needs_base
from lib_extension.spec.errors import BadFile, Mismatch

_BIAS = "diff_b"
_USABLE = "LoRA, LoCon, LoHa, LoKr, DoRA and full differences"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoraUse:
    """One ``<lora:...>``: the weights multiply what the file adds to the U-Net and to the text encoders."""

    found: Found
    unet_weight: float
    te_weight: float


@dataclass(frozen=True)
class _Part:
    """What one file adds to one module: the tensors' names, and the weight that it was asked with."""

    file: int  # its place in the list of uses
    names: Mapping[str, str]
    scale: float | None  # from the file's metadata; None: alpha / rank, to be read
    weight: float


def apply(checkpoint: Checkpoint, uses: Sequence[LoraUse]) -> None:
    """Makes the checkpoint's weights its own plus those of ``uses``, whatever was applied before; an empty list takes all away.

    Everything is checked before any weight changes. Raises ``Mismatch`` for a LoRA of another architecture, ``BadFile`` for a file that
    is no LoRA or of a method that is not known here.
    """
    wanted = tuple(_stamp(use) for use in uses)
    if wanted == checkpoint.applied:
        return
    modules = dict(_changeable(checkpoint))
    plan: dict[str, list[_Part]] = {}
    for file, use in enumerate(uses):
        for path, part in _parts(file, use, checkpoint, modules):
            plan.setdefault(path, []).append(part)
    checkpoint.applied = None  # Whatever fails from here on, half a change must not be taken for a whole one.
    for name in checkpoint.base_weights.keys() - _changed(plan):
        _parameter(modules, name).data.copy_(checkpoint.base_weights.pop(name))
    with ExitStack() as stack:
        files = [stack.enter_context(safe_open(use.found.path, framework="pt")) for use in uses]
        for path, parts in plan.items():
            _change(path, modules, checkpoint, [(part, _read(files[part.file], part)) for part in parts])
    checkpoint.applied = wanted


@torch.no_grad()
def _change(path: str, modules: Mapping[str, Any], checkpoint: Checkpoint, parts: Sequence[tuple[_Part, dict[str, Tensor]]]) -> None:
    """Of a module, its weight and, where full differences have one, its bias."""
    base = _base(f"{path}.weight", modules, checkpoint)
    changes: list[Tensor] = []
    for part, tensors in parts:
        # DoRA starts from what the LoRAs named before it made of the weight, as in the WebUI.
        begun = torch.stack([base, *changes]).sum(0) if needs_base(tensors) and changes else base
        changes.append(part.weight * delta(tensors, begun, part.scale))
    _set(f"{path}.weight", modules, base + torch.stack(changes).sum(0))
    biases = [part.weight * change for part, tensors in parts if (change := bias_delta(tensors)) is not None]
    if biases:
        base = _base(f"{path}.bias", modules, checkpoint)
        _set(f"{path}.bias", modules, base + torch.stack(biases).sum(0))


def _base(name: str, modules: Mapping[str, Any], checkpoint: Checkpoint) -> Tensor:
    """The checkpoint's own value of a parameter, float32 on the CPU."""
    return checkpoint.base_weights.setdefault(name, _parameter(modules, name).detach().cpu().clone()).float()


def _set(name: str, modules: Mapping[str, Any], value: Tensor) -> None:
    parameter = _parameter(modules, name)
    parameter.copy_(value.to(parameter.dtype))


def _parameter(modules: Mapping[str, Any], name: str) -> nn.Parameter:
    path, _, kind = name.rpartition(".")
    return getattr(modules[path], kind)


def _changed(plan: Mapping[str, Sequence[_Part]]) -> set[str]:
    """The parameters that the plan changes."""
    biases = {f"{path}.bias" for path, parts in plan.items() if any(_BIAS in part.names for part in parts)}
    return biases | {f"{path}.weight" for path in plan}


def _read(file: Any, part: _Part) -> dict[str, Tensor]:
    return {name: file.get_tensor(tensor).float() for name, tensor in part.names.items()}


def _parts(file: int, use: LoraUse, checkpoint: Checkpoint, modules: Mapping[str, Any]) -> Iterator[tuple[str, _Part]]:
    """What the file adds to each module, after all checks that need no tensor's content."""
    refuse_pickle(use.found.path, "LoRA")
    header = read_header(use.found.path)
    resolution = resolve(header.tensors, modules, header.metadata)
    family = what_is(header).family
    other_family = family not in ("unknown", checkpoint.family)
    if not resolution.modules or (resolution.unmatched and other_family):
        raise _misfit(use, checkpoint, family, f"{len(resolution.unmatched)} of its parts have no place there")
    if resolution.unmatched:
        log.warning("LoRA %s: %d parts fit nothing, such as %s", use.found.stem, len(resolution.unmatched), resolution.unmatched[0])
    for path, lora in resolution.modules.items():
        if lora.method not in METHODS:
            raise BadFile(f'The LoRA "{use.found.stem}" is of the kind "{lora.method or "incomplete"}"; {_USABLE} can be used.')
        if not _fits(header, lora, modules[path]):
            raise _misfit(use, checkpoint, family, f"its {lora.name} has another size")
        yield path, _Part(file, lora.parts, lora.scale, use.unet_weight if path.startswith("unet.") else use.te_weight)


def _fits(header: Header, lora: ParsedLora, module: Any) -> bool:
    """Whether the parts' sizes make a change of the module's weight and, if that is wanted, of a bias that it has."""
    shapes = {part: header.tensors[name].shape for part, name in lora.parts.items()}
    if _BIAS in shapes and (module.bias is None or tuple(shapes[_BIAS]) != tuple(module.bias.shape)):
        return False
    return fits(shapes, module.weight.shape)


def _misfit(use: LoraUse, checkpoint: Checkpoint, family: str, reason: str) -> Mismatch:
    made_for = f", made for {family}," if family != "unknown" else ""
    return Mismatch(
        f'The LoRA "{use.found.stem}"{made_for} does not fit the checkpoint "{checkpoint.name}", which is {checkpoint.family}: {reason}.'
    )


def _changeable(checkpoint: Checkpoint) -> Iterator[tuple[str, nn.Linear | nn.Conv2d]]:
    """The modules that a LoRA can change, under diffusers' paths."""
    networks: dict[str, nn.Module] = {"unet": checkpoint.unet}
    networks |= {f"text_encoder{'_2' if place else ''}": network for place, network in enumerate(checkpoint.text_encoders)}
    for name, network in networks.items():
        for path, module in network.named_modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                yield f"{name}.{path}", module


def _stamp(use: LoraUse) -> tuple[object, ...]:
    """Tells a use from another, also of a file that was overwritten meanwhile."""
    stat = use.found.path.stat()
    return str(use.found.path), stat.st_size, stat.st_mtime_ns, use.unet_weight, use.te_weight
