"""What is a module called in a LoRA file that the WebUI reads?

SD1 and SD2: diffusers' paths with underscores, lora_unet_down_blocks_… and lora_te_text_model_…. SDXL: ldm's, lora_unet_input_blocks_…,
as the WebUI maps diffusers' upsamplers of SDXL to no module, and lora_te1_…, lora_te2_… for its encoders.
"""

from __future__ import annotations

from lib_extension.formats.ldm_unet_names import ldm_name
from lib_extension.models.checkpoint import Checkpoint
from trainer.families import FAMILIES


class FileNames:
    """The names for one checkpoint's modules."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._family = FAMILIES[checkpoint.family]
        self._paths = tuple(f"unet.{path}" for path, _ in checkpoint.unet.named_modules())

    def of(self, network: str, path: str) -> str:
        """The name of the module `path` of "unet", "text_encoder" or "text_encoder_2", before its parts' names."""
        if network == "unet":
            inside = ldm_name(path, self._paths)[0] if self._family.name == "sdxl" else path
            return f"lora_unet_{_flat(inside)}"
        prefix = self._family.text_prefixes[0 if network == "text_encoder" else 1]
        return f"{prefix}_text_model_{_flat(path.removeprefix('text_model.'))}"  # transformers 5 has no such level, the WebUI has


def peft_name(network: str, path: str) -> str:
    """diffusers' name: the model's path, with the level of text encoders that transformers 5 left out."""
    return f"unet.{path}" if network == "unet" else f"{network}.text_model.{path.removeprefix('text_model.')}"


def _flat(path: str) -> str:
    return path.replace(".", "_")
