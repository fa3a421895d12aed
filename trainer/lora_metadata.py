"""What does a LoRA file say of its training? kohya's `ss_*`, which the WebUI shows and sorts by, and the modelspec standard's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.spec.training.network import NetworkSettings
from trainer.families import FAMILIES


@dataclass(frozen=True)
class LoraTold:
    """What is known of the training; what is empty or 0 is left out of the file."""

    output_name: str
    title: str = ""
    author: str = ""
    description: str = ""
    license: str = ""
    trigger: str = ""
    resolution: tuple[int, int] = (512, 512)  # width, height
    steps: int = 0
    epoch: int = 0
    seed: int = 0
    clip_skip: int = 1
    pictures: int = 0
    prediction_type: str = "epsilon"
    started: float = 0.0  # seconds since 1970
    finished: float = 0.0
    tag_frequency: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # by folder
    more: Mapping[str, str] = field(default_factory=dict)  # further entries, which win


def metadata_of(checkpoint: Checkpoint, settings: NetworkSettings, told: LoraTold, name: str, digest: str) -> dict[str, str]:
    """All entries for the file `name`.safetensors, whose tensors have the hash `digest`."""
    entries = _kohya(checkpoint, settings, told) | _modelspec(checkpoint, told) | dict(told.more)
    entries |= {"ss_output_name": name, "sshs_model_hash": digest, "modelspec.hash_sha256": f"0x{digest}"}
    return {key: value for key, value in sorted(entries.items()) if value}


def _kohya(checkpoint: Checkpoint, settings: NetworkSettings, told: LoraTold) -> dict[str, str]:
    arguments = {"algo": settings.kind} if settings.kind != "lora" else {}
    if settings.conv_rank:
        alpha = settings.conv_rank if settings.conv_alpha is None else settings.conv_alpha
        arguments |= {"conv_dim": str(settings.conv_rank), "conv_alpha": f"{alpha:g}"}
    return {
        "ss_base_model_version": FAMILIES[checkpoint.family].base_version,
        "ss_v2": str(checkpoint.family == "sd2"),
        "ss_sd_model_name": checkpoint.path.name,
        "ss_new_sd_model_hash": checkpoint.sha256,
        "ss_network_module": "networks.lora" if settings.kind == "lora" else "lycoris.kohya",
        "ss_network_dim": str(settings.rank),
        "ss_network_alpha": f"{settings.alpha:g}",
        "ss_network_args": json.dumps(arguments) if arguments else "",
        "ss_resolution": str(told.resolution),
        "ss_clip_skip": str(told.clip_skip),
        "ss_num_train_images": str(told.pictures or ""),
        "ss_steps": str(told.steps or ""),
        "ss_epoch": str(told.epoch or ""),
        "ss_seed": str(told.seed),
        "ss_training_started_at": str(told.started or ""),
        "ss_training_finished_at": str(told.finished or ""),
        "ss_tag_frequency": json.dumps(told.tag_frequency, ensure_ascii=False) if told.tag_frequency else "",
    }


def _modelspec(checkpoint: Checkpoint, told: LoraTold) -> dict[str, str]:
    """Stability AI's model metadata standard, version 1.0.1."""
    width, height = told.resolution
    finished = datetime.fromtimestamp(told.finished, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if told.finished else ""
    return {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": f"{_architecture(checkpoint, told)}/lora",
        "modelspec.implementation": "https://github.com/AUTOMATIC1111/stable-diffusion-webui",
        "modelspec.title": told.title or told.output_name,
        "modelspec.resolution": f"{width}x{height}",
        "modelspec.prediction_type": "v" if told.prediction_type == "v_prediction" else "epsilon",
        "modelspec.date": finished,
        "modelspec.author": told.author,
        "modelspec.description": told.description,
        "modelspec.license": told.license,
        "modelspec.trigger_phrase": told.trigger,
        "modelspec.encoder_layer": str(told.clip_skip) if checkpoint.family == "sd1" else "",
    }


def _architecture(checkpoint: Checkpoint, told: LoraTold) -> str:
    """The standard tells SD2's two kinds apart."""
    stated = FAMILIES[checkpoint.family].architecture
    if checkpoint.family != "sd2":
        return stated
    return f"{stated}-768-v" if told.prediction_type == "v_prediction" else f"{stated}-512"
