"""How does a network come onto a checkpoint, and how are its weights kept and brought back?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from peft import inject_adapter_in_model
from torch import Tensor, nn

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.spec.errors import BadFile
from lib_extension.spec.training.network import NetworkSettings
from trainer.networks.kinds import NETWORKS
from trainer.networks.network import ADAPTER, Group, layers_of, networks_of
from trainer.networks.targets import targets_of


def attach(checkpoint: Checkpoint, settings: NetworkSettings, seed: int = 0) -> tuple[Group, ...]:
    """Adds a network that changes nothing yet, in float32, to the checkpoint's frozen networks; the groups hold all that is trained.

    Its first values come from `seed` alone. Raises BadRequest for settings that do not fit the checkpoint.
    """
    kind = NETWORKS[settings.kind]
    networks = networks_of(checkpoint)
    groups: list[Group] = []
    for name, targets in targets_of(checkpoint, settings).items():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            inject_adapter_in_model(kind.config(targets, settings), networks[name], ADAPTER)
        for _, layer in layers_of(networks[name]):
            kind.finish(layer, settings)
        for parameter in networks[name].parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
        groups += _grouped(name, networks[name], settings)
    return tuple(groups)


def state(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """What is trained, by names that `restore` takes: for exact resume and EMA. The tensors are the parameters' own, not copies."""
    return {name: parameter.detach() for name, parameter in _trained(checkpoint)}


@torch.no_grad()
def restore(checkpoint: Checkpoint, tensors: Mapping[str, Tensor]) -> None:
    """Puts what `state` gave into the attached network; raises BadFile where it does not fit."""
    parameters = dict(_trained(checkpoint))
    if parameters.keys() != tensors.keys():
        strange = sorted(parameters.keys() ^ tensors.keys())
        raise BadFile(f"The saved weights are of another network: {len(strange)} of their names differ, the first is {strange[0]}.")
    for name, parameter in parameters.items():
        if parameter.shape != tensors[name].shape:
            shapes = f"{tuple(tensors[name].shape)} instead of {tuple(parameter.shape)}"
            raise BadFile(f"The saved weights are of another network: {name} is {shapes}.")
        parameter.copy_(tensors[name])


def _trained(checkpoint: Checkpoint) -> Iterator[tuple[str, nn.Parameter]]:
    for network, model in networks_of(checkpoint).items():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                yield f"{network}.{name}", parameter


def _grouped(name: str, network: nn.Module, settings: NetworkSettings) -> list[Group]:
    """One group for each learning rate."""
    by_rate: dict[float, list[nn.Parameter]] = {}
    for path, layer in layers_of(network):
        trained = [parameter for parameter in layer.parameters() if parameter.requires_grad]
        by_rate.setdefault(settings.rate_of(f"{name}.{path}"), []).extend(trained)
    return [Group(name if rate == 1 else f"{name} × {rate:g}", name, rate, tuple(found)) for rate, found in by_rate.items()]
