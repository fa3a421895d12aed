"""`inspect`: what is in a LoRA or a checkpoint?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import torch

from lib_extension.formats.base_model import what_is
from lib_extension.models.lora_delta import needs_base
from lib_extension.spec.merging import BLOCKS, InspectSettings
from trainer.merging.asked import help_of, one_file, read_arguments
from trainer.merging.factors import PRODUCTS, factors_of
from trainer.merging.lora_file import LoraFile
from trainer.merging.plot import write_bars
from trainer.merging.tensor_file import TensorFile
from trainer.merging.tensor_types import is_finite
from trainer.merging.topology import block_of, kernel_of
from trainer.report import Report

USAGE = "python -m trainer inspect FILE [--plot PNG] [--contents JSON]"
_MOST_TAGS = 50
_LONGEST = 200  # characters of a value of the metadata, in a line for people
_TOLD_APART = ("ss_tag_frequency", "modelspec.thumbnail")  # the latter is a picture


@dataclass(frozen=True)
class Block:
    """All modules of a block of a LoRA."""

    modules: int
    ranks: tuple[int, int]  # lowest and highest
    alphas: tuple[float, float]
    strength: float  # the Frobenius norm of all that is added there
    largest: float  # that of the strongest module
    layers: Mapping[str, float]  # that of each


@dataclass(frozen=True)
class Contents:
    """What a file holds; of a checkpoint, no blocks."""

    kind: str
    family: str
    naming: str
    type: str
    base_model: str
    tensors: int
    bytes: int
    precision: dict[str, int]
    blocks: dict[str, Block]
    unmeasured: int  # modules that are damaged, whose change depends on the checkpoint, or whose type is not known
    damaged: tuple[str, ...]  # tensors with NaN or infinity
    tags: dict[str, int]
    metadata: dict[str, str]


def run(arguments: Sequence[str], report: Report) -> int:
    """The command."""
    if "--help" in arguments:
        report.text(help_of(InspectSettings, USAGE))
        return 0
    settings = read_arguments(InspectSettings, arguments, one_file("file")).settings
    contents = inspected(Path(settings.file))
    told = {"name": Path(settings.file).name, **asdict(contents)}
    report.value("contents", **told)
    for line in _told(contents):
        report.log(line)
    if settings.contents:
        Path(settings.contents).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    if settings.plot:
        write_bars(Path(settings.plot), {block: measured.strength for block, measured in contents.blocks.items()})
        report.picture(Path(settings.plot).name, "Strength of every block")
    return 0


def inspected(path: Path) -> Contents:
    """Of a LoRA, by its values; of any other file, by its header."""
    if path.is_dir():
        with LoraFile(path) as lora:
            return _lora(lora)
    with TensorFile(path) as file:
        kind = what_is(file.header)
        if kind.kind != "lora":
            types = Counter(told.dtype for told in file.header.tensors.values())
            size = path.stat().st_size
            base = _base_model(file.header.metadata)
            found = Contents(
                kind.kind, kind.family, kind.naming, kind.method, base, sum(types.values()), size, dict(types), {}, 0, (), {}, {}
            )
            return Contents(**{**vars(found), "metadata": dict(file.header.metadata)})
    with LoraFile(path) as lora:
        return _lora(lora)


@torch.no_grad()
def _lora(lora: LoraFile) -> Contents:
    measured: dict[str, dict[str, tuple[int, float, float]]] = {}
    unmeasured = 0
    damaged = tuple(key for key in lora.keys if not is_finite(lora.tensor(key)))
    for module, parsed in lora.modules.items():
        if not set(damaged).isdisjoint(parsed.parts.values()):
            unmeasured += 1
            continue
        if parsed.method not in PRODUCTS or needs_base(parsed.parts) or (parsed.method == "diff" and "diff" not in parsed.parts):
            unmeasured += 1
            continue
        parts = {part: lora.tensor(key) for part, key in parsed.parts.items()}
        factors = factors_of(parsed.method, parts, parsed.scale, kernel_of(module, lora.family), parsed.name)
        energy = factors.energy()
        if not isfinite(energy):
            unmeasured += 1
            continue
        rank = next((parts[part].shape[0] for part in ("down", "hada_w1_b", "lokr_w2_b") if part in parts), factors.rank)
        alpha = parts["alpha"].float().item() if "alpha" in parts else rank * (parsed.scale or 1.0)
        measured.setdefault(block_of(module, lora.family), {})[module] = (rank, alpha, max(0.0, energy))
    blocks = {block: _block(measured[block]) for block in BLOCKS if block in measured}
    return Contents(
        kind="lora",
        family=lora.family,
        naming=lora.kind.naming,
        type=lora.kind.method,
        base_model=_base_model(lora.metadata),
        tensors=len(lora.keys),
        bytes=sum(file.path.stat().st_size for file in lora.files),
        precision=dict(Counter(lora.info(key).dtype for key in lora.keys)),
        blocks=blocks,
        unmeasured=unmeasured,
        damaged=damaged,
        tags=_tags(lora.metadata),
        metadata=dict(lora.metadata),
    )


def _block(modules: Mapping[str, tuple[int, float, float]]) -> Block:
    ranks, alphas, energies = zip(*modules.values(), strict=True)
    layers = {name: energy**0.5 for name, (_, _, energy) in modules.items()}
    return Block(len(modules), (min(ranks), max(ranks)), (min(alphas), max(alphas)), sum(energies) ** 0.5, max(layers.values()), layers)


def _base_model(metadata: Mapping[str, str]) -> str:
    """What the file says that it was trained on."""
    return metadata.get("ss_sd_model_name") or metadata.get("ss_base_model_version") or metadata.get("modelspec.architecture") or ""


def _tags(metadata: Mapping[str, str]) -> dict[str, int]:
    """The tags that it was trained with, the most frequent first."""
    try:
        folders: Any = json.loads(metadata.get("ss_tag_frequency", "{}"))
        counts: Counter[str] = Counter()
        for tags in folders.values():
            counts.update({str(tag).strip(): int(count) for tag, count in tags.items()})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return dict(counts.most_common(_MOST_TAGS))


def _told(contents: Contents) -> list[str]:
    precision = ", ".join(f"{count} {name}" for name, count in contents.precision.items())
    lines = [f"{contents.kind} {contents.type} for {contents.family}, {contents.naming} names, {contents.bytes / 1e6:.1f} MB, {precision}"]
    lines += [f"trained on {contents.base_model}"] if contents.base_model else []
    for name, block in contents.blocks.items():
        low, high = block.ranks
        ranks = str(low) if low == high else f"{low}-{high}"
        lines.append(f"{name:5} {block.modules:3} modules  rank {ranks:8} alpha {block.alphas[1]:<6g} strength {block.strength:.4g}")
    lines += (
        [f"{contents.unmeasured} modules not measured: damaged, or their change depends on the checkpoint"] if contents.unmeasured else []
    )
    lines += [f"DAMAGED: {len(contents.damaged)} tensors hold NaN or infinity, such as {contents.damaged[0]}"] if contents.damaged else []
    lines += [f"{name}: {_shortened(value)}" for name, value in sorted(contents.metadata.items()) if name not in _TOLD_APART]
    lines += ["tags: " + ", ".join(f"{tag} {count}" for tag, count in contents.tags.items())] if contents.tags else []
    return lines


def _shortened(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
