"""How do LoRA files change a checkpoint's weights, and how does it get its own back?

W' = W + sum of weight * scale * up @ down (Hu et al. 2021, arXiv:2106.09685), for matrices and convolutions (LoCon). The base
weights of what was changed are kept, so that every list of LoRAs starts from them, and none leaves a rounding error behind.
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
from lib_extension.spec.errors import BadFile, Mismatch

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoraUse:
    """One ``<lora:...>``: the weights multiply what the file adds to the U-Net and to the text encoders."""

    found: Found
    unet_weight: float
    te_weight: float


@dataclass(frozen=True)
class _Part:
    """What one file adds to one module: the tensors' names, and the factor before up @ down."""

    file: int  # its place in the list of uses
    names: Mapping[str, str]
    factor: float | None  # None: weight * alpha / rank, to be read
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
    for path in checkpoint.base_weights.keys() - plan.keys():
        modules[path].weight.data.copy_(checkpoint.base_weights.pop(path))
    with ExitStack() as stack:
        files = [stack.enter_context(safe_open(use.found.path, framework="pt")) for use in uses]
        for path, parts in plan.items():
            _change(modules[path].weight, path, checkpoint, [_delta(files[part.file], part) for part in parts])
    checkpoint.applied = wanted


@torch.no_grad()
def _change(weight: Tensor, path: str, checkpoint: Checkpoint, deltas: Sequence[Tensor]) -> None:
    base = checkpoint.base_weights.setdefault(path, weight.detach().cpu().clone())
    total = torch.stack([delta.reshape(weight.shape) for delta in deltas]).sum(0)
    weight.copy_((base.float() + total).to(weight.dtype))


def _delta(file: Any, part: _Part) -> Tensor:
    """weight * scale * up @ down, as float32 (out, in) or (out, in, h, w)."""
    up, down = (file.get_tensor(part.names[name]).float() for name in ("up", "down"))
    factor = part.factor
    if factor is None:
        alpha = file.get_tensor(part.names["alpha"]).item() if "alpha" in part.names else down.shape[0]
        factor = part.weight * alpha / down.shape[0]
    if "mid" in part.names:  # a convolution split in three: 1x1, h x w between few channels, 1x1
        mid = file.get_tensor(part.names["mid"]).float()
        return factor * torch.einsum("oa,abhw,bi->oihw", up.flatten(1), mid, down.flatten(1))
    return factor * (up.flatten(1) @ down.flatten(1))


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
        if lora.method != "lora":
            raise BadFile(f'The LoRA "{use.found.stem}" is of the kind "{lora.method or "incomplete"}"; LoRA and LoCon files can be used.')
        shape = modules[path].weight.shape
        if _shape(header, lora) != (shape[0], shape[1:].numel()):
            raise _misfit(use, checkpoint, family, f"its {lora.name} has another size")
        weight = use.unet_weight if path.startswith("unet.") else use.te_weight
        yield path, _Part(file, lora.parts, None if lora.scale is None else weight * lora.scale, weight)


def _shape(header: Header, lora: ParsedLora) -> tuple[int, int] | None:
    """(out, everything else) of up @ down, or None where the two do not even fit each other."""
    shapes = {part: header.tensors[name].shape for part, name in lora.parts.items() if part in ("up", "down", "mid")}
    up, down, mid = shapes["up"], shapes["down"], shapes.get("mid", ())
    if len(up) < 2 or len(down) < 2 or (mid and (len(mid) != 4 or mid[0] != up[1] or mid[1] != down[0])):
        return None
    if not mid and up[1] != down[0]:
        return None
    inner = torch.Size(down[1:]).numel() * (mid[2] * mid[3] if mid else 1)
    return up[0], inner


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
