"""How do tensors come out of safetensors files and into a network, with every failure told in the file's own terms?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from diffusers.models.modeling_utils import ModelMixin
from safetensors import SafetensorError, safe_open

from lib_extension.formats.safetensors_header import read_header
from lib_extension.spec.errors import BadFile

Network = TypeVar("Network", bound=torch.nn.Module)
Made = TypeVar("Made", bound=ModelMixin)
_TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def read_tensors(path: Path, prefixes: Iterable[str] = ("",)) -> dict[str, torch.Tensor]:
    """The tensors whose names begin with the first of ``prefixes`` that occurs, without it. Only their bytes are read."""
    read_header(path)  # refuses what lies about itself, which safetensors' own reader may not
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            for prefix in prefixes:
                if found := [name for name in names if name.startswith(prefix)]:
                    return {name.removeprefix(prefix): file.get_tensor(name) for name in found}
    except SafetensorError as e:
        raise BadFile(f'"{path.name}" cannot be read as safetensors: {e}') from e
    return {}


def read_own(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of a file, read into memory of their own: a mapped file and its copy would take twice as much."""
    header, found = read_header(path), {}
    with path.open("rb") as file:
        for name, info in sorted(header.tensors.items(), key=lambda item: item[1].offsets):
            if info.dtype not in _TYPES:
                raise BadFile(f'"{path.name}" holds values of the type {info.dtype}, which no network here takes.')
            found[name] = torch.empty(info.shape, dtype=_TYPES[info.dtype])
            if found[name].numel():
                file.seek(header.data_start + info.offsets[0])
                file.readinto(memoryview(found[name].view(-1).view(torch.uint8).numpy()))
    return found


def made(kind: type[Made], config: dict[str, object]) -> Made:
    """A diffusers network from its configuration."""
    network = kind.from_config(config)  # pyright: ignore[reportAttributeAccessIssue] - every diffusers network has it
    assert isinstance(network, kind)
    return network


def fill(make: Callable[[], Network], tensors: Mapping[str, torch.Tensor], dtype: torch.dtype, what: str, own: bool = False) -> Network:
    """The network that ``make`` builds, holding ``tensors`` instead of random weights; raises ``BadFile`` where they do not fit.

    It is built without memory of its own, so that loading needs the weights' size once. ``own``: nothing else holds the tensors' memory.
    """
    with torch.device("meta"):
        network = make()
    wanted = network.state_dict()
    if missing := [name for name in wanted if name not in tensors]:
        raise BadFile(f"{what} is incomplete: {len(missing)} of {len(wanted)} tensors are missing, the first is {missing[0]}.")
    for name, place in wanted.items():
        if tensors[name].shape != place.shape:
            raise BadFile(f"{what} does not fit together: {name} is {_sizes(tensors[name])}, but {_sizes(place)} was expected.")
    network.load_state_dict({name: tensors[name].to(dtype) for name in wanted}, assign=True)
    _make_position_numbers(network)
    return network.eval().requires_grad_(False) if own else settled(network)


def left_out(make: Callable[[], Network]) -> Network:
    """The network that ``make`` builds, as shapes only."""
    with torch.device("meta"):
        return make().eval().requires_grad_(False)


def is_left_out(network: torch.nn.Module) -> bool:
    """Whether it has no weights."""
    return next(network.parameters()).is_meta


def settled(network: Network) -> Network:
    """The network, for use only, with its weights in memory of its own.

    Freshly read weights are the file itself, mapped into memory: who overwrites it would end this process, and sums come out in another
    order where a file's tensors lie at other addresses.
    """
    for parameter in network.parameters():
        parameter.data = parameter.data.clone(memory_format=torch.contiguous_format)
    return network.eval().requires_grad_(False)


def placed(network: Network, device: torch.device) -> Network:
    """The network on its device. (The libraries' own ``to`` adds checks for quantised weights, and loses its type.)"""
    torch.nn.Module.to(network, device)
    return network


def _make_position_numbers(network: torch.nn.Module) -> None:
    """transformers keeps 0, 1, 2 ... in a buffer that no file holds."""
    for module in network.modules():
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_meta:
                assert name == "position_ids", name
                module.register_buffer(name, torch.arange(buffer.shape[-1]).expand(buffer.shape).clone(), persistent=False)


def _sizes(tensor: torch.Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a single number"
