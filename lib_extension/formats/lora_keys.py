"""Which module of the model does each tensor of a LoRA file change, whatever trainer named it?

Names met: kohya's (`lora_unet_down_blocks_0_…`, and ldm's `lora_unet_input_blocks_…` in its place), diffusers' new and old ones
(`unet.….to_q.lora.down.weight`, `….processor.to_q_lora.down.weight`) and peft's (`base_model.model.….lora_A.weight`). kohya writes
dots as underscores, so names can only be told by comparing them with those of a real model: all names are compared without dots.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lib_extension.formats.ldm_unet_names import ldm_name
from lib_extension.formats.peft_metadata import scale_of


@dataclass(frozen=True)
class ParsedLora:
    """What a file holds for one module.

    `parts` says which tensor is what: "down" (rank, in, …), "up" (out, rank, …), "mid" (rank, rank, h, w), "alpha" (a number),
    "dora_scale", or "dora_magnitude" under peft's name, which has other axes; tensors of other methods keep their own names, such as
    "hada_w1_a".
    """

    name: str  # the module as the file calls it
    parts: Mapping[str, str]  # part → the tensor's name in the file
    scale: float | None = None  # what up·down is multiplied by, from the metadata; None: alpha / rank, or 1 without alpha

    @property
    def method(self) -> str:
        """ "lora" (also for convolutions), "dora", or that of other parts: "hada", "lokr", "oft", "diff" …; "" if parts are missing."""
        if {"down", "up"} <= self.parts.keys():
            return "dora" if self.parts.keys() & _OF_DORA else "lora"
        others = self.parts.keys() - {"down", "up", "mid", "alpha", "lora_B.bias"} - _OF_DORA
        first = min(others, key=lambda part: (part == "diff_b", part), default="")  # a bias's change may be beside that of any method
        return first.split("_")[0]


@dataclass(frozen=True)
class Resolution:
    """The modules of a model that a LoRA file changes, and the names in the file that fit none of them."""

    modules: Mapping[str, ParsedLora]  # "unet.down_blocks.0.…", "text_encoder.…", "text_encoder_2.…" as in the model
    unmatched: tuple[str, ...]


def lora_modules(keys: Iterable[str]) -> dict[str, ParsedLora]:
    """The modules that the file's tensors belong to, by the file's own names for them."""
    return _grouped(keys)[0]


def resolve(keys: Iterable[str], module_names: Iterable[str], metadata: Mapping[str, str] | None = None) -> Resolution:
    """Each module of a LoRA file as the module of the model with the paths `module_names`; `metadata` is the file's.

    Raises BadFile where the metadata is malformed.
    """
    known = _Index(module_names)
    modules, unmatched = _grouped(keys)
    resolved: dict[str, ParsedLora] = {}
    for lora in modules.values():
        path = known.find(lora.name)
        if path is None or path in resolved:
            unmatched.append(lora.name)
        else:
            resolved[path] = ParsedLora(lora.name, lora.parts, scale_of(path, metadata or {}))
    return Resolution(resolved, tuple(unmatched))


_DOWN_UP = {"down": "down", "up": "up", "mid": "mid", "A": "down", "B": "up"}
_ENDINGS = (
    re.compile(r"(?P<module>.+?)\.lora_(?P<part>down|up|mid)\.weight"),  # kohya
    re.compile(r"(?P<module>.+?)\.lora_(?P<part>A|B)(?:\.[\w-]+)?\.weight"),  # peft, with or without its adapter's name
    re.compile(r"(?P<module>.+?)(?:[._]lora|[._]lora_linear_layer)\.(?P<part>down|up)\.weight"),  # diffusers
)
_ALPHA = re.compile(r"(?P<module>.+?)(?:\.lora)?\.alpha")
_OF_DORA = {"dora_scale", "dora_magnitude"}
_DORA = re.compile(r"(?P<module>.+?)\.(?P<part>dora_scale|lora_magnitude_vector(?:\.\w+)?)")
_OTHER = re.compile(r"(?P<module>.+?)\.(?P<part>(?:hada|lokr|oft)_\w+|diff|diff_b|[wb]_norm|on_input|[ab][12]\.weight|lora_B\.bias)")


def _split(key: str) -> tuple[str, str] | None:
    """(module, part) of a tensor's name."""
    for ending in _ENDINGS:
        if found := ending.fullmatch(key):
            return found["module"], _DOWN_UP[found["part"]]
    if found := _ALPHA.fullmatch(key):
        return found["module"], "alpha"
    if found := _DORA.fullmatch(key):
        return found["module"], "dora_scale" if found["part"] == "dora_scale" else "dora_magnitude"
    if found := _OTHER.fullmatch(key):
        return found["module"], found["part"]
    return None


def _grouped(keys: Iterable[str]) -> tuple[dict[str, ParsedLora], list[str]]:
    parts: dict[str, dict[str, str]] = {}
    strange = []
    for key in keys:
        split = _split(key)
        if split is None:
            strange.append(key)
        else:
            parts.setdefault(split[0], {})[split[1]] = key
    return {name: ParsedLora(name, of_module) for name, of_module in parts.items()}, strange


# Longer ones first, where one begins with the other. '' is a name that does not say which network it means.
_PREFIXES = (
    ("base_model.model.unet.", "unet"),
    ("base_model.model.text_encoder.", "text_encoder"),
    ("base_model.model.", ""),
    ("model.diffusion_model.", "unet"),
    ("diffusion_model.", "unet"),
    ("lora_unet_", "unet"),
    ("lora_te1_", "text_encoder"),
    ("lora_te2_", "text_encoder_2"),
    ("lora_te_", "text_encoder"),
    ("unet.", "unet"),
    ("text_encoder.", "text_encoder"),
    ("text_encoder_2.", "text_encoder_2"),
    ("lycoris_", ""),
    ("", ""),
)
_OLD_ATTENTION = (("to_q", "q_proj"), ("to_k", "k_proj"), ("to_v", "v_proj"), ("to_out", "out_proj"))


class _Index:
    """A model's module paths by every spelling of them without dots."""

    def __init__(self, module_names: Iterable[str]):
        paths = tuple(module_names)
        self._paths: dict[tuple[str, str], str] = {}
        for path in paths:
            network, _, inside = path.partition(".")
            for spelling in self._spellings(network, inside, paths):
                self._paths.setdefault((network, spelling.replace(".", "_")), path)

    def find(self, name: str) -> str | None:
        """The path of the module that a LoRA file calls `name`."""
        prefix, network = next((p, n) for p, n in _PREFIXES if name.startswith(p))
        flat = name[len(prefix) :].replace(".processor.", ".").replace(".", "_").removeprefix("text_model_")
        tried = (network,) if network else ("unet", "text_encoder")
        return next((path for n in tried if (path := self._paths.get((n, flat)))), None)

    @staticmethod
    def _spellings(network: str, inside: str, paths: tuple[str, ...]) -> list[str]:
        if network != "unet":
            inside = inside.removeprefix("text_model.")  # transformers 5 dropped this level, files have it
            old = [inside.replace(new, old) for old, new in _OLD_ATTENTION if inside.endswith(f"self_attn.{new}")]
            return [inside, *old]
        names = [inside, *ldm_name(inside, paths)]
        return names + [name.removesuffix(".0") for name in names if name.endswith(".to_out.0")]
