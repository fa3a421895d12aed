"""What does a checkpoint or a LoRA say that it predicts, the noise or v, and down to which noise?

v = alpha·noise − sigma·picture (Salimans & Ho 2022, arXiv:2202.00512). Networks of both kinds have equal names and shapes, so only what
their authors wrote down tells them apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lib_extension.spec.merging.warnings import PREDICTIONS, ZERO_SNR, Warned
from trainer.merging.lora_file import LoraFile
from trainer.merging.model import Model

_SAID = {"v": "v_prediction", "epsilon": "epsilon"}  # modelspec.prediction_type
_WORDS = {"v_prediction": "v", "epsilon": "the noise"}
_PARAMETERIZATION = re.compile(r"""^\s*parameterization:\s*["']?(v|eps)\b""", re.MULTILINE)


def prediction_of(model: Model) -> str:
    """ "epsilon", "v_prediction", or "" where nothing tells it: SD2 is published in both kinds, the others in the first."""
    if model.path.is_dir():
        return str(_scheduler(model.path).get("prediction_type") or "epsilon")
    header = model.parts[0].file.header
    if "v_pred" in header.tensors:
        return "v_prediction"
    described = _described(model.path.with_suffix(".yaml"))
    return described or _said(header.metadata) or ("" if model.family == "sd2" else "epsilon")


def prediction_of_lora(lora: LoraFile) -> str:
    """As prediction_of; most LoRAs say nothing."""
    return _said(lora.metadata)


def common_prediction(loras: Sequence[LoraFile]) -> str:
    """What all of those say that say anything; "" where they differ."""
    said = {found for lora in loras if (found := prediction_of_lora(lora))}
    return said.pop() if len(said) == 1 else ""


def other_predictions(models: Sequence[Model], loras: Sequence[LoraFile] = ()) -> list[Warned]:
    """For each that does not go with the first that is known."""
    told = [(prediction_of(model), model.name) for model in models] + [(prediction_of_lora(lora), lora.name) for lora in loras]
    known = [(_WORDS.get(said, said), name) for said, name in told if said]
    found = [
        Warned(PREDICTIONS, {"one": known[0][1], "its": known[0][0], "other": name, "theirs": said})
        for said, name in known[1:]
        if said != known[0][0]
    ]
    if not found and len({_has_zero_snr(model) for model in models}) > 1:
        one = next(model for model in models if _has_zero_snr(model))
        other = next(model for model in models if not _has_zero_snr(model))
        found.append(Warned(ZERO_SNR, {"one": one.name, "other": other.name}))
    return found


def _said(metadata: Mapping[str, str]) -> str:
    architecture = metadata.get("modelspec.architecture", "").partition("/")[0]
    by_name = "v_prediction" if architecture.endswith("-768-v") else ""
    return _SAID.get(metadata.get("modelspec.prediction_type", ""), by_name)


def _has_zero_snr(model: Model) -> bool:
    if model.path.is_dir():
        return bool(_scheduler(model.path).get("rescale_betas_zero_snr"))
    return "ztsnr" in model.parts[0].file.header.tensors


def _scheduler(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _described(file: Path) -> str:
    """What the WebUI's configuration beside a checkpoint says, which is YAML; the WebUI's Python may have no reader of it."""
    try:
        found = _PARAMETERIZATION.search(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return {"v": "v_prediction", "eps": "epsilon"}[found[1]] if found else ""
