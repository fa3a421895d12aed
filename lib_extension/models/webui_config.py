"""What does the YAML file beside a checkpoint, which the WebUI reads too, say that the checkpoint's tensors do not?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from lib_extension.spec.errors import BadFile


@dataclass(frozen=True)
class WebuiConfig:
    """``None`` where the file says nothing. A v parameterisation is a prediction of v = alpha*noise - sigma*picture."""

    prediction_type: str | None = None
    head_count: int | None = None
    head_width: int | None = None
    text_heads: int | None = None


def beside(checkpoint: Path) -> WebuiConfig:
    """Reads ``checkpoint``'s namesake ending in .yaml, if there is one. Raises ``BadFile`` if it is no such configuration."""
    file = checkpoint.with_suffix(".yaml")
    if not file.is_file():
        return WebuiConfig()
    try:
        params = yaml.safe_load(file.read_text(encoding="utf-8"))["model"]["params"]
        unet = params["unet_config"]["params"]
        parameterization = params.get("parameterization")
        version = (params.get("cond_stage_config") or {}).get("params", {}).get("version")
        return WebuiConfig(
            prediction_type={"v": "v_prediction", "eps": "epsilon"}[parameterization] if parameterization else None,
            head_count=_positive(unet, "num_heads"),
            head_width=_positive(unet, "num_head_channels"),
            text_heads=_text_heads(checkpoint.parent / version) if version else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as e:
        raise BadFile(f'"{file.name}", the configuration beside "{checkpoint.name}", is not one of a Stable Diffusion model.') from e


def _positive(params: Mapping[str, object], name: str) -> int | None:
    value = params.get(name)
    return value if isinstance(value, int) and value > 0 else None


def _text_heads(clip_folder: Path) -> int | None:
    """From a local CLIP folder; where ``version`` names a model on the hub, there is none, and the heads are as wide as always."""
    config = clip_folder / "config.json"
    return int(json.loads(config.read_text(encoding="utf-8"))["num_attention_heads"]) if config.is_file() else None
