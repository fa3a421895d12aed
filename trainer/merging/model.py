"""Where in a checkpoint, a single file or a diffusers folder, is the weight of each module?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from lib_extension.formats.base_model import family_of_checkpoint
from lib_extension.formats.safetensors_header import TensorInfo
from lib_extension.formats.unet_family import family_of_unet
from lib_extension.models.families import FAMILIES, TextFacts
from lib_extension.models.ldm_names import UnetLayout, rename, unet_pairs
from lib_extension.spec.errors import BadFile
from trainer.merging.model_folder import NETWORKS, weights_of
from trainer.merging.tensor_file import TensorFile

UNET = "model.diffusion_model."
_OPEN_CLIP = (
    ("ln_1", "layer_norm1"),
    ("ln_2", "layer_norm2"),
    ("mlp.c_fc", "mlp.fc1"),
    ("mlp.c_proj", "mlp.fc2"),
    ("attn.out_proj", "self_attn.out_proj"),
)
_LAYER = re.compile(r"transformer\.resblocks\.(\d+)\.(.+)")
_WITHOUT_LEVEL = re.compile(r"((?:cond_stage_model|conditioner\.embedders\.0)\.transformer\.)(?=(?:embeddings|encoder|final_layer_norm)\.)")
_SCHEDULE = ("denoiser.", "model_ema.decay", "model_ema.num_updates")


@dataclass(frozen=True)
class Place:
    """A module's weight: these rows of a tensor; open_clip keeps query, key and value in one."""

    tensor: str
    first: int
    shape: tuple[int, ...]  # (rows, …)

    @property
    def bias(self) -> str:
        """The name of the tensor that its bias lies in, if there is one."""
        return self.tensor.removesuffix("weight") + "bias"


@dataclass(frozen=True)
class Part:
    """One file of a model. `path` is its place in the folder, "" for a single file."""

    file: TensorFile
    path: str
    places: Mapping[str, Place]  # module → where its weight is

    def key(self, tensor: str) -> str:
        """By which another model's tensor is the same one, whichever of the names that the WebUI reads it has. Of a folder, the network
        counts, not which of its files it lies in.
        """
        network = self.path.partition("/")[0]
        if network:
            return f"{network}/{_with_level(tensor) if network.startswith('text_encoder') else tensor}"
        tensor = _WITHOUT_LEVEL.sub(r"\1text_model.", tensor)
        return f"/{re.sub('^conditioner[.]embedders[.]0[.]model[.]', 'cond_stage_model.model.', tensor)}"


class Model:
    """An open checkpoint of SD1, SD2 or SDXL."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with ExitStack() as stack:
            if self.path.is_dir():
                self.family, self.parts = _folder(self.path, stack)
            else:
                file = stack.enter_context(TensorFile(self.path))
                self.family = _known(family_of_checkpoint(file.header), self.path)
                self.parts = (Part(file, "", _single(file.header.tensors, self.family)),)
            self._stack = stack.pop_all()
        self.places: dict[str, tuple[Part, Place]] = {module: (part, place) for part in self.parts for module, place in part.places.items()}
        self._modules = {
            id(part): {place.tensor.rpartition(".")[0]: module for module, place in part.places.items()} for part in self.parts
        }

    def __enter__(self) -> Model:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def check_whole(self) -> None:
        """BadFile for a U-Net's own file: without the names of a checkpoint, its modules have no places."""
        if not self.places:
            raise BadFile(f'"{self.path.name}" is a U-Net alone. Name the checkpoint that it belongs to, with its text encoders and VAE.')

    def module_of(self, part: Part, tensor: str) -> str:
        """The module that a tensor belongs to, "" outside of all that LoRAs can change."""
        return self._modules[id(part)].get(tensor.rpartition(".")[0], "")

    @property
    def name(self) -> str:
        """As people call it."""
        return self.path.name if self.path.is_dir() else self.path.stem


def is_schedule(tensor: str) -> bool:
    """Whether it holds no network's weights, but noise levels or counters, which stay as they are: rounded, they draw nothing but noise."""
    return "." not in tensor or tensor.startswith(_SCHEDULE)


def uncalculable(model: str, tensor: str, dtype: str) -> BadFile:
    """Of a tensor that should become another one."""
    return BadFile(f'"{tensor}" of "{model}" is of the type {dtype}, which cannot be calculated with. Name the same checkpoint in fp16.')


def _known(family: str, path: Path) -> str:
    if family not in FAMILIES:
        held = f"a {family} model" if family != "unknown" else "no base model that is known here"
        raise BadFile(f'"{path.name}" holds {held}; SD1, SD2 and SDXL checkpoints can be merged.')
    return family


def _single(tensors: Mapping[str, TensorInfo], family: str) -> dict[str, Place]:
    inside = {name.removeprefix(UNET): name for name in tensors if name.startswith(UNET)}
    renamed = rename(cast(Any, inside), unet_pairs(UnetLayout.of_ldm(inside)))  # it moves whatever stands under the names
    places = _whole(cast("dict[str, str]", renamed), "unet", tensors)
    for number, facts in enumerate(FAMILIES[family].text):
        places |= _text(tensors, facts, NETWORKS[1 + number])
    return places


def _whole(names: Mapping[str, str], network: str, tensors: Mapping[str, TensorInfo]) -> dict[str, Place]:
    """`names`: those in diffusers → those in the file."""
    return {
        f"{network}.{name.removesuffix('.weight')}": Place(in_file, 0, tensors[in_file].shape)
        for name, in_file in names.items()
        if name.endswith(".weight") and tensors[in_file].shape
    }


def _text(tensors: Mapping[str, TensorInfo], facts: TextFacts, network: str) -> dict[str, Place]:
    prefix = next((prefix for prefix in facts.prefixes if any(name.startswith(prefix) for name in tensors)), None)
    if prefix is None:
        return {}
    inside = {name.removeprefix(prefix): name for name in tensors if name.startswith(prefix)}
    if not facts.open_clip:
        named = {name if name.startswith("text_model.") else f"text_model.{name}": in_file for name, in_file in inside.items()}
        return _whole(named, network, tensors)
    places: dict[str, Place] = {}
    for name, in_file in inside.items():
        if found := _LAYER.fullmatch(name):
            places |= _open_clip(f"{network}.text_model.encoder.layers.{found[1]}", found[2], in_file, tensors[in_file].shape)
    return places


def _open_clip(layer: str, name: str, in_file: str, shape: tuple[int, ...]) -> dict[str, Place]:
    if name == "attn.in_proj_weight":
        rows = shape[0] // 3
        return {f"{layer}.self_attn.{part}_proj": Place(in_file, n * rows, (rows, *shape[1:])) for n, part in enumerate("qkv")}
    return {f"{layer}.{new}": Place(in_file, 0, shape) for old, new in _OPEN_CLIP if name == f"{old}.weight"}


def _folder(folder: Path, stack: ExitStack) -> tuple[str, tuple[Part, ...]]:
    parts: list[Part] = []
    family = "unknown"
    for network, files in weights_of(folder).items():
        for path in files:
            file = stack.enter_context(TensorFile(path))
            tensors = file.header.tensors
            named = {(name if network == "unet" else _with_level(name)): name for name in tensors}
            parts.append(Part(file, f"{network}/{path.name}", {} if network == "vae" else _whole(named, network, tensors)))
            if network == "unet" and family == "unknown":
                family = family_of_unet(tensors)
    if not any(part.path.startswith("unet/") for part in parts):
        raise BadFile(f'The model folder "{folder.name}" holds no U-Net as .safetensors file. Pickles are not read.')
    return _known(family, folder), tuple(parts)


def _with_level(name: str) -> str:
    """transformers 5 dropped this level, other files have it."""
    return f"text_model.{name}" if name.startswith(("embeddings.", "encoder.", "final_layer_norm.")) else name
