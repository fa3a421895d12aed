"""How do kohya's trainers, diffusers and peft spell the names of a LoRA's tensors?

kohya's are what A1111, ComfyUI and InvokeAI load, with ldm's names of modules for SDXL; they keep each module's strength in a tensor
"alpha". diffusers and peft keep strengths apart: in metadata, and in a file beside.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from lib_extension.formats.ldm_unet_names import ldm_name
from lib_extension.formats.peft_metadata import KEY
from lib_extension.spec.errors import BadRequest
from trainer.merging.topology import module_names

Naming = Literal["kohya", "diffusers", "peft"]
_KOHYA = {"down": "lora_down.weight", "up": "lora_up.weight", "mid": "lora_mid.weight"}
_PEFT = {"down": "lora_A.weight", "up": "lora_B.weight", "dora_magnitude": "lora_magnitude_vector"}


@dataclass(frozen=True)
class LoraModule:
    """What a result holds for one module; `path` as in diffusers, or a file's own name. `scale`: what alpha / rank is."""

    path: str
    parts: Mapping[str, Tensor]
    scale: float = 1.0

    @property
    def rank(self) -> int:
        """Of LoRA and LoCon; 0 for others."""
        return self.parts["down"].shape[0] if "down" in self.parts else 0

    @property
    def alpha(self) -> float:
        """scale · rank, without what the division costs in the last digit."""
        return float(f"{self.scale * self.rank:.15g}")

    @property
    def is_known(self) -> bool:
        """Whether it is a module of SD1, SD2 or SDXL, and so has a name in each spelling."""
        return self.path.startswith(("unet.", "text_encoder.", "text_encoder_2."))


def kohya_names(modules: Sequence[LoraModule], family: str, encoder: str = "lora_te_") -> dict[str, Tensor]:
    """The tensors by kohya's names; `encoder` as of kohya_name."""
    found: dict[str, Tensor] = {}
    for module in modules:
        for part, tensor in module.parts.items():
            if part == "dora_magnitude":  # one value for each output, which kohya's names have as a column
                part, tensor = "dora_scale", tensor.reshape(-1, *(1 for _ in module.parts["down"].shape[1:]))
            found[f"{kohya_name(module.path, family, encoder)}.{_KOHYA.get(part, part)}"] = tensor
    return found


def kohya_name(path: str, family: str, encoder: str = "lora_te_") -> str:
    """ "lora_unet_down_blocks_0_…"; the names of modules that are not known stay as they are. `encoder`: what the first text encoder's
    begin with where the family is not known, as for SDXL they begin with another than for SD1 and SD2.
    """
    network, _, inside = path.partition(".")
    if network == "unet":
        ldm = ldm_name(inside, module_names(family)) if family == "sdxl" else []
        return "lora_unet_" + (ldm[0] if ldm else inside).replace(".", "_")
    if network in ("text_encoder", "text_encoder_2"):
        first = {"sd1": "lora_te_", "sd2": "lora_te_", "sdxl": "lora_te1_"}.get(family, encoder)
        return (first if network == "text_encoder" else "lora_te2_") + inside.replace(".", "_")
    return path


def diffusers_names(modules: Sequence[LoraModule]) -> dict[str, Tensor]:
    """The tensors by diffusers' names. BadRequest for what diffusers has no name for."""
    return {f"{m.path}.{_PEFT[part]}": tensor for m in _spellable(modules) for part, tensor in m.parts.items() if part != "alpha"}


def diffusers_metadata(modules: Sequence[LoraModule]) -> dict[str, str]:
    """Strengths and ranks, as diffusers writes and reads them."""
    told: dict[str, Any] = {}
    for network, of_network in by_network(modules).items():
        told |= {f"{network}.{name}": value for name, value in peft_config(of_network).items()}
    return {KEY: json.dumps(told, indent=2, sort_keys=True)}


def peft_names(modules: Sequence[LoraModule]) -> dict[str, Tensor]:
    """The tensors of one network by peft's names, as in its adapter_model.safetensors."""
    return {f"base_model.model.{name.partition('.')[2]}": tensor for name, tensor in diffusers_names(modules).items()}


def peft_config(modules: Sequence[LoraModule]) -> dict[str, Any]:
    """peft's LoraConfig of one network: the commonest rank and alpha, and which modules have others."""
    ranks = {module.path.partition(".")[2]: module.rank for module in modules}
    alphas = {module.path.partition(".")[2]: _plain(module.alpha) for module in modules}
    rank, alpha = (Counter(values.values()).most_common(1)[0][0] for values in (ranks, alphas))
    return {
        "peft_type": "LORA",
        "r": rank,
        "lora_alpha": alpha,
        "rank_pattern": {name: value for name, value in ranks.items() if value != rank},
        "alpha_pattern": {name: value for name, value in alphas.items() if value != alpha},
        "target_modules": sorted(ranks),
        "use_dora": any("dora_magnitude" in module.parts for module in modules),
        "use_rslora": False,
        "bias": "none",
        "lora_dropout": 0.0,
        "init_lora_weights": True,
        "fan_in_fan_out": False,
        "inference_mode": True,
        "task_type": None,
        "base_model_name_or_path": None,
    }


def by_network(modules: Sequence[LoraModule]) -> dict[str, list[LoraModule]]:
    """The modules of the U-Net, and of each text encoder."""
    found: dict[str, list[LoraModule]] = {}
    for module in modules:
        found.setdefault(module.path.partition(".")[0], []).append(module)
    return found


def _spellable(modules: Sequence[LoraModule]) -> Sequence[LoraModule]:
    for module in modules:
        if not module.is_known:
            raise BadRequest(
                f'"{module.path}" is no module of SD1, SD2 or SDXL, so what diffusers calls it is unknown. Choose the names kohya.'
            )
        if strange := set(module.parts) - {*_PEFT, "alpha"}:
            raise BadRequest(
                f'"{module.path}" has the part {min(strange)}, which diffusers has no name for. Choose the type lora, or the names kohya.'
            )
    return modules


def _plain(value: float) -> float | int:
    """Whole numbers as such."""
    return int(value) if float(value).is_integer() else value
