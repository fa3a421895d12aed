"""How does a training go on from a LoRA file of any trainer?"""

from __future__ import annotations

from pathlib import Path

from safetensors import safe_open
from torch import Tensor

from lib_extension.formats.lora_keys import ParsedLora, resolve
from lib_extension.formats.safetensors_header import read_header
from lib_extension.models.checkpoint import Checkpoint
from lib_extension.models.library import refuse_pickle
from lib_extension.models.lora_delta import file_scale
from lib_extension.spec.errors import BadFile, Mismatch
from lib_extension.spec.training.network import NetworkSettings
from trainer.networks.kinds import NETWORKS
from trainer.networks.network import Layer, layers_of, networks_of, scale_of

_METHOD = {"lora": "lora", "dora": "dora", "loha": "hada", "lokr": "lokr"}  # as formats.lora_keys calls the kinds


def load_into(checkpoint: Checkpoint, settings: NetworkSettings, file: Path) -> int:
    """Starts the attached network from a LoRA file of any naming; how many modules it had. What the file has not, starts at nothing.

    Raises BadFile for another kind, Mismatch where something in the file has no place in the network: it would be lost.
    """
    refuse_pickle(file, "LoRA")
    header = read_header(file)
    layers = {f"{name}.{path}": layer for name, network in networks_of(checkpoint).items() for path, layer in layers_of(network)}
    resolution = resolve(header.tensors, layers, header.metadata)
    if resolution.unmatched or not resolution.modules:
        raise Mismatch(_misfit(file, len(resolution.modules), resolution.unmatched))
    with safe_open(file, framework="pt") as opened:
        for path, lora in resolution.modules.items():
            if lora.method != _METHOD[settings.kind]:
                raise BadFile(f'The LoRA "{file.stem}" is of the kind "{lora.method or "incomplete"}", not {settings.kind}.')
            tensors = {part: opened.get_tensor(name).float() for part, name in lora.parts.items()}
            _put(file, settings, lora, layers[path], tensors)
    return len(resolution.modules)


def _put(file: Path, settings: NetworkSettings, lora: ParsedLora, layer: Layer, tensors: dict[str, Tensor]) -> None:
    """The file's change of the module, whatever alpha and rank say here."""
    scale = file_scale(tensors) if lora.scale is None else lora.scale
    weights = {part: tensor for part, tensor in tensors.items() if part != "alpha"}
    try:
        NETWORKS[settings.kind].put(layer, weights, scale / scale_of(layer))
    except (ValueError, KeyError, RuntimeError) as e:
        raise Mismatch(f'Training cannot go on from the LoRA "{file.stem}" with these settings: of {lora.name}, {e}.') from e


def _misfit(file: Path, fitting: int, unmatched: tuple[str, ...]) -> str:
    first = f", such as {unmatched[0]}" if unmatched else ""
    return (
        f'Training cannot go on from the LoRA "{file.stem}": {len(unmatched)} of its parts have no place in the network{first}, '
        f"{fitting} have. It may be for another family, or change text encoders or convolutions that network leaves out."
    )
