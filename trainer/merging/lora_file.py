"""What does a LoRA file, or a folder that peft wrote, hold for each module, whatever trainer named it?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from torch import Tensor

from lib_extension.formats.base_model import what_is
from lib_extension.formats.kind import Kind
from lib_extension.formats.lora_keys import ParsedLora, lora_modules, resolve
from lib_extension.formats.peft_metadata import KEY
from lib_extension.formats.safetensors_header import Header, TensorInfo
from lib_extension.spec.errors import BadFile
from trainer.merging.tensor_file import TensorFile
from trainer.merging.tensor_types import is_finite
from trainer.merging.topology import module_names

NETWORKS = ("unet", "text_encoder", "text_encoder_2")
ADAPTER, ADAPTER_CONFIG = "adapter_model.safetensors", "adapter_config.json"
_IN_CONFIG = ("r", "lora_alpha", "rank_pattern", "alpha_pattern", "use_rslora")


@dataclass(frozen=True)
class Stored:
    """A tensor, and in which file under which name."""

    file: TensorFile
    name: str


class LoraFile:
    """An open LoRA. `modules` is by the module's path as in diffusers ("unet.…"), or by the file's own name where that is not known."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with ExitStack() as stack:
            self._stored, self.metadata = _peft_folder(self.path, stack) if self.path.is_dir() else _file(self.path, stack)
            self.kind = self._kind()
            self.modules, self.strange = self._modules()
            self._stack = stack.pop_all()

    def __enter__(self) -> LoraFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    @property
    def name(self) -> str:
        """As people call it."""
        return self.path.name if self.path.is_dir() else self.path.stem

    @property
    def family(self) -> str:
        """ "unknown" where nothing tells it."""
        return self.kind.family

    @property
    def encoder(self) -> str:
        """What the names of the first text encoder's modules begin with, as kohya has them."""
        return "lora_te1_" if any(key.startswith("lora_te1_") for key in self._stored) else "lora_te_"

    @property
    def files(self) -> tuple[TensorFile, ...]:
        """One, or that of each network."""
        return tuple(dict.fromkeys(stored.file for stored in self._stored.values()))

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of all tensors, as they lie in the file."""
        return tuple(self._stored)

    def info(self, key: str) -> TensorInfo:
        """A tensor's type and shape."""
        stored = self._stored[key]
        return stored.file.header.tensors[stored.name]

    def tensor(self, key: str) -> Tensor:
        """A tensor, as it is stored."""
        stored = self._stored[key]
        return stored.file.tensor(stored.name)

    def parts(self, module: str) -> dict[str, Tensor]:
        """All tensors of a module, by what they are: "down", "up", "alpha", "hada_w1_a" … BadFile for NaN or infinity."""
        found = {part: self.tensor(key) for part, key in self.modules[module].parts.items()}
        for part, tensor in found.items():
            self.check(self.modules[module].parts[part], tensor)
        return found

    def scale(self, parsed: ParsedLora) -> float:
        """What the product of a LoRA's up and down is multiplied by, and peft's bias of up."""
        alpha, down = parsed.parts.get("alpha"), parsed.parts.get("down")
        if parsed.scale is not None or alpha is None or down is None:
            return 1.0 if parsed.scale is None else parsed.scale
        return self.tensor(alpha).item() / self.info(down).shape[0]

    def check(self, key: str, tensor: Tensor) -> None:
        """BadFile where a tensor's values are not all finite."""
        if not is_finite(tensor):
            raise BadFile(f'The LoRA "{self.name}" is damaged: {key} holds NaN or infinity. Its training or its download went wrong.')

    def types(self) -> set[str]:
        """Of the tensors that are no single numbers."""
        return {self.info(key).dtype for key in self._stored if self.info(key).shape} or {self.info(key).dtype for key in self._stored}

    def for_modules(self, names: Iterable[str]) -> tuple[Mapping[str, ParsedLora], tuple[str, ...]]:
        """The modules under a model's own names, and the names that it has no place for."""
        resolution = resolve(self._stored, names, self.metadata)
        return resolution.modules, resolution.unmatched

    def _kind(self) -> Kind:
        tensors = {key: self.info(key) for key in self._stored}
        kind = what_is(Header(tensors, dict(self.metadata), 0))
        if kind.kind != "lora":
            raise BadFile(f'"{self.path.name}" is no LoRA, but {_with_article(kind.kind)}.')
        return kind

    def _modules(self) -> tuple[dict[str, ParsedLora], tuple[str, ...]]:
        """With the names that stand for no module of a known family's model, and with the tensors that belong to no module at all."""
        by_own_name = lora_modules(self._stored)
        families = (self.family,) if module_names(self.family) else ("sd1", "sdxl") if self.family == "unknown" else ()
        tried = [resolve(self._stored, module_names(family), self.metadata) for family in families]
        best = min(tried, key=lambda resolution: len(resolution.unmatched), default=None)
        known = dict(best.modules) if best else {}
        taken = {lora.name for lora in known.values()}
        modules = known | {name: lora for name, lora in by_own_name.items() if name not in taken}
        if not any(lora.method for lora in modules.values()):
            raise BadFile(f'"{self.path.name}" is no complete LoRA: no module has all of its parts.')
        of_modules = {key for lora in modules.values() for key in lora.parts.values()}
        return modules, tuple(key for key in self._stored if key not in of_modules)


def _file(path: Path, stack: ExitStack) -> tuple[dict[str, Stored], Mapping[str, str]]:
    file = stack.enter_context(TensorFile(path))
    return {name: Stored(file, name) for name, _ in file.in_order()}, file.header.metadata


def _peft_folder(folder: Path, stack: ExitStack) -> tuple[dict[str, Stored], Mapping[str, str]]:
    """A folder with a folder for each network, in each of which peft wrote an adapter; or one adapter's own folder, then the U-Net's."""
    stored: dict[str, Stored] = {}
    told: dict[str, Any] = {}
    metadata: dict[str, str] = {}
    found = [(network, folder / network) for network in NETWORKS if (folder / network / ADAPTER).is_file()]
    for network, place in found or [("unet", folder)]:
        if not (place / ADAPTER).is_file():
            raise BadFile(f'The folder "{folder.name}" holds no {ADAPTER}, so it is no LoRA that peft wrote.')
        file = stack.enter_context(TensorFile(place / ADAPTER))
        for name, _ in file.in_order():
            stored[f"{network}.{re.sub('^base_model[.]model[.]', '', name)}"] = Stored(file, name)
        config = _config(place / ADAPTER_CONFIG)
        told |= {f"{network}.{name}": config[name] for name in _IN_CONFIG if config.get(name) is not None}
        metadata |= file.header.metadata
    return stored, {**metadata, KEY: json.dumps(told)}


def _config(file: Path) -> dict[str, Any]:
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadFile(f'"{file.parent.name}" has no readable {file.name}, which says how strong the LoRA is.') from error
    if not isinstance(config, dict):
        raise BadFile(f'{file.name} of "{file.parent.name}" is no JSON object.')
    return config


def _with_article(kind: str) -> str:
    return {"unknown": "something that is not known here", "unet": "a U-Net"}.get(kind, f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}")
