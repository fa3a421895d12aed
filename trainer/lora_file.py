"""How does what was trained become a LoRA file that the WebUI reads, or one that diffusers and peft read?"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Literal

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from lib_extension.formats.flushing import flush_folder, replace
from lib_extension.models.checkpoint import Checkpoint
from lib_extension.models.hashes import network_hash
from lib_extension.spec.errors import BadFile, BadRequest
from lib_extension.spec.training import check_name
from lib_extension.spec.training.network import NetworkSettings
from trainer.lora_metadata import LoraTold, metadata_of
from trainer.lora_names import FileNames, peft_name
from trainer.networks.kinds import NETWORKS
from trainer.networks.network import layers_of, networks_of, scale_of
from trainer.written import ASIDE, fill

__all__ = ["DTYPES", "LoraTold", "copy_lora", "write_lora", "write_peft"]

Precision = Literal["fp16", "bf16", "fp32"]
DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
_KOHYA = {"down": "lora_down.weight", "up": "lora_up.weight"}  # other parts are called as formats.lora_keys calls them
_SUFFIX = ".safetensors"


def write_lora(folder: Path, checkpoint: Checkpoint, settings: NetworkSettings, told: LoraTold, precision: Precision = "fp16") -> Path:
    """Writes `folder`/`told.output_name`.safetensors, or with -2, -3 … where that is there; nothing is ever overwritten.

    Raises BadRequest for a name with path separators and the like, BadFile for values that `precision` cannot hold, DiskFull.
    """
    tensors = lora_tensors(checkpoint, settings, precision)
    return _written(folder, told.output_name, tensors, lambda name, digest: metadata_of(checkpoint, settings, told, name, digest))


def copy_lora(file: Path, folder: Path) -> Path:
    """The same LoRA in another folder, under its name or with -2, -3 …; the one that is there already if it is the same."""
    there = folder / file.name
    if there.is_file() and network_hash(there) == network_hash(file):
        return there
    with safe_open(file, framework="pt") as opened:
        metadata: dict[str, str] = opened.metadata() or {}
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
    return _written(folder, file.stem, tensors, lambda name, digest: metadata | {"ss_output_name": name})


def write_peft(folder: Path, checkpoint: Checkpoint, settings: NetworkSettings, told: LoraTold, precision: Precision = "fp16") -> Path:
    """The same under diffusers' and peft's names, for `load_lora_weights`. Raises BadRequest for kinds that diffusers does not read."""
    check_peft(settings)
    return _written(folder, told.output_name, peft_tensors(checkpoint, settings, precision), lambda name, digest: {"format": "pt"})


def check_peft(settings: NetworkSettings) -> None:
    """BadRequest where diffusers could not read a copy."""
    if settings.kind not in ("lora", "dora"):
        raise BadRequest(f"output.peft_copy is on, but diffusers reads no {settings.kind}. Turn it off, or train a lora.")
    if settings.kind == "dora" and settings.magnitudes == "inputs":
        raise BadRequest(
            'output.peft_copy is on, but diffusers reads DoRAs with magnitudes of outputs only. Set network.magnitudes to "outputs".'
        )


def lora_tensors(checkpoint: Checkpoint, settings: NetworkSettings, precision: Precision) -> dict[str, Tensor]:
    """By the WebUI's names. alpha is a float32 number: W changes by alpha / rank * up @ down."""
    names, kind = FileNames(checkpoint), NETWORKS[settings.kind]
    tensors: dict[str, Tensor] = {}
    for network, model in networks_of(checkpoint).items():
        for path, layer in layers_of(model):
            module = names.of(network, path)
            for part, tensor in kind.parts(layer).items():
                name = f"{module}.{_KOHYA.get(part, part)}"
                tensors[name] = tensor if part == "alpha" else _stored(tensor, name, precision)
    return tensors


def peft_tensors(checkpoint: Checkpoint, settings: NetworkSettings, precision: Precision) -> dict[str, Tensor]:
    """By peft's names, the scale in lora_B: without metadata, readers take alpha to be the rank."""
    kind = NETWORKS[settings.kind]
    tensors: dict[str, Tensor] = {}
    for network, model in networks_of(checkpoint).items():
        for path, layer in layers_of(model):
            parts, module = kind.parts(layer), peft_name(network, path)
            named = {"lora_A.weight": parts["down"], "lora_B.weight": parts["up"] * scale_of(layer)}
            if "dora_scale" in parts:
                magnitudes = parts["dora_scale"]  # (out, 1, …); peft keeps (out,), of convolutions (1, out, 1, 1)
                named["lora_magnitude_vector"] = magnitudes.transpose(0, 1) if magnitudes.ndim == 4 else magnitudes.flatten()
            tensors |= {f"{module}.{part}": _stored(tensor, f"{module}.{part}", precision) for part, tensor in named.items()}
    return tensors


def _stored(tensor: Tensor, name: str, precision: Precision) -> Tensor:
    stored = tensor.detach().to("cpu", DTYPES[precision]).contiguous().clone()
    if not torch.isfinite(stored).all():
        raise BadFile(f"{name} holds values that {precision} cannot. Write the file in bf16 or fp32; if they are no numbers, train anew.")
    return stored


def _written(folder: Path, wanted: str, tensors: dict[str, Tensor], metadata: Callable[[str, str], dict[str, str]]) -> Path:
    """Aside and flushed, then under the first free name, which also stands in the file: the WebUI knows it by that."""
    check_name(wanted)
    folder.mkdir(parents=True, exist_ok=True)
    plain = save(tensors)
    digest = hashlib.sha256(memoryview(plain)[int.from_bytes(plain[:8], "little") + 8 :]).hexdigest()
    for name in _names(wanted):
        path = folder / f"{name}{_SUFFIX}"
        if path.exists():
            continue
        aside = folder / f".{name}.{os.getpid()}{ASIDE}"
        try:
            fill(aside, save(tensors, metadata(name, digest)))
            _take_name(aside, path)
        except FileExistsError:
            continue
        finally:
            aside.unlink(missing_ok=True)
        flush_folder(folder)
        return path
    raise AssertionError("numbers do not end")


def _names(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in count(2))


def _take_name(aside: Path, path: Path) -> None:
    """Gives the file its name, which must be free: FileExistsError if it is not, also if somebody took it meanwhile."""
    try:
        os.link(aside, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: the name is reserved by an empty file, which then is replaced
        path.open("xb").close()
        replace(aside, path)
