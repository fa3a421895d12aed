"""How does a merged, resized or converted LoRA get into a file, or into peft's folder?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lib_extension.spec.errors import BadFile
from lib_extension.spec.merging import Output
from trainer.merging.factors import Factors
from trainer.merging.lora_file import ADAPTER, ADAPTER_CONFIG
from trainer.merging.lora_names import (
    LoraModule,
    Naming,
    by_network,
    diffusers_metadata,
    diffusers_names,
    kohya_names,
    peft_config,
    peft_names,
)
from trainer.merging.output_file import OutputFile, bytes_of, folder_aside, make_folder, place, planned
from trainer.merging.provenance import Origin, Provenance, for_lora
from trainer.merging.tensor_types import is_finite, torch_type, widest, written_as


@dataclass(frozen=True)
class LoraResult:
    """All that a file will hold, and how it came to be."""

    modules: Sequence[LoraModule]
    provenance: Provenance
    origins: Sequence[Origin]
    kept: Mapping[str, str]  # metadata of the source, where there is one
    encoder: str = "lora_te_"  # LoraFile.encoder of the source


def result_type(output: Output, sources: set[str]) -> torch.dtype:
    """The type of a LoRA's tensors: as asked for, or the widest of the sources'."""
    return torch_type(written_as(output.precision, widest(sources)))


def module_of(path: str, factors: Factors, dtype: torch.dtype) -> LoraModule:
    """LoRA's, or LoCon's, tensors with alpha = rank, so that the file's strength 1 is theirs."""
    up, down = factors.scaled().up, factors.down
    if factors.kernel:
        up = up.reshape(*up.shape, *(1 for _ in factors.kernel))
        down = down.reshape(down.shape[0], -1, *factors.kernel)
    parts = {"alpha": number(factors.rank, dtype), "down": narrowed(down, dtype, path), "up": narrowed(up, dtype, path)}
    return LoraModule(path, parts)


def number(value: float, dtype: torch.dtype) -> Tensor:
    """An alpha, of this type where that holds it; what divisions cost in the last digit does not count."""
    found = torch.tensor(value, dtype=dtype)
    return found if abs(found.item() - value) <= 1e-9 * abs(value) else torch.tensor(value, dtype=torch.float32)


def narrowed(tensor: Tensor, dtype: torch.dtype, name: str) -> Tensor:
    """BadFile where the values do not fit into the type."""
    if not is_finite(tensor, torch.finfo(dtype).max):
        raise BadFile(f"{name} gets values that its type cannot hold. Choose lower weights, or the precision bf16 or fp32.")
    return tensor.to(dtype).contiguous()


def write_lora(result: LoraResult, output: Output, name: str, naming: Naming = "kohya") -> Path:
    """The file, or for peft the folder, that was written."""
    folder = Path(output.folder)
    make_folder(folder)
    modules, provenance = result.modules, result.provenance
    metadata = provenance.metadata(result.origins, result.kept, output.notes)
    metadata.pop("lora_adapter_metadata", None)  # of the source's spelling
    if naming == "peft":
        return _write_peft(result, metadata, folder, name)
    tensors = kohya_names(modules, provenance.family, result.encoder) if naming == "kohya" else diffusers_names(modules)
    metadata |= diffusers_metadata(modules) if naming == "diffusers" else {}
    return _write(folder, name, tensors, _described(result, metadata, tensors))


def _described(result: LoraResult, metadata: dict[str, str], tensors: Mapping[str, Tensor]) -> dict[str, str]:
    ranked = [module for module in result.modules if module.rank]
    ranks, alphas = [module.rank for module in ranked], [module.alpha for module in ranked]
    return for_lora(metadata, result.provenance.family, _digest(tensors), ranks or [0], alphas or [0.0])


def _write(folder: Path, name: str, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Path:
    with OutputFile(folder, name, [planned(name, tensor) for name, tensor in tensors.items()], metadata) as file:
        for tensor in tensors.values():
            file.write_tensor(tensor)
        return file.finish()


def _write_peft(result: LoraResult, metadata: dict[str, str], folder: Path, name: str) -> Path:
    with folder_aside(folder, name) as aside:
        for network, modules in by_network(result.modules).items():
            tensors = peft_names(modules)
            _write(aside / network, Path(ADAPTER).stem, tensors, {"format": "pt"} | _described(result, metadata, tensors))
            (aside / network / ADAPTER_CONFIG).write_text(json.dumps(peft_config(modules), indent=2), encoding="utf-8")
        return place(aside, folder, name)


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for tensor in tensors.values():
        digest.update(bytes_of(tensor))
    return digest.hexdigest()
