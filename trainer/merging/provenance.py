"""What does a result's metadata say about where it comes from?"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib_extension.formats.safetensors_header import LONGEST_HEADER
from lib_extension.models.hashes import Hashes, hash_file
from lib_extension.spec.merging import CheckpointSource
from lib_extension.spec.settings import Settings, to_json
from trainer.merging.lora_file import LoraFile
from trainer.merging.model import Model

KEY = "atelier.merge"
_ARCHITECTURES = {"sd1": "stable-diffusion-v1", "sdxl": "stable-diffusion-xl-v1-base"}
_ARCHITECTURES_SD2 = {"epsilon": "stable-diffusion-v2-512", "v_prediction": "stable-diffusion-v2-768-v"}
_VERSIONS = {"sd1": "sd_v1", "sd2": "sd_v2", "sdxl": "sdxl_base_v1-0"}  # what kohya's trainers write, and the WebUI reads


@dataclass(frozen=True)
class Origin:
    """A file that the result was made from."""

    role: str  # "lora", "checkpoint", "base" …
    name: str
    sha256: str
    weight: float | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """For the metadata."""
        return {
            "role": self.role,
            "name": self.name,
            "sha256": self.sha256,
            **({} if self.weight is None else {"weight": self.weight}),
            **self.more,
        }


@dataclass(frozen=True)
class Provenance:
    """How a result came to be."""

    command: str
    settings: Settings
    family: str
    kind: str  # "lora" or "checkpoint"
    title: str
    more: Mapping[str, Any] = field(default_factory=dict)  # what else should be known of it
    prediction: str = ""  # "epsilon" or "v_prediction", where that is known

    def _architecture(self, kept: str) -> str:
        """SD2's says what it predicts, too; where that is not known, what the source said stays."""
        if self.family != "sd2":
            return _ARCHITECTURES.get(self.family, "")
        bare = kept.partition("/")[0]
        return _ARCHITECTURES_SD2.get(self.prediction) or (bare if bare.startswith("stable-diffusion-v2") else "")

    def metadata(self, origins: Sequence[Origin], kept: Mapping[str, str], notes: str = "") -> dict[str, str]:
        """`kept` is the source's own metadata; what this says of the same things takes its place. No path of this machine enters."""
        told = {
            "command": self.command,
            "sources": [origin.told() for origin in origins],
            "settings": _without_paths(to_json(self.settings)),
            **self.more,
        }
        found = dict(kept)
        found[KEY] = json.dumps(told, ensure_ascii=False)
        found["modelspec.sai_model_spec"] = "1.0.0"
        found["modelspec.title"] = self.title
        found["modelspec.date"] = time.strftime("%Y-%m-%dT%H:%M:%S")
        found["modelspec.implementation"] = "https://github.com/Stability-AI/generative-models"
        if architecture := self._architecture(kept.get("modelspec.architecture", "")):
            found["modelspec.architecture"] = architecture + ("/lora" if self.kind == "lora" else "")
        if self.prediction:
            found["modelspec.prediction_type"] = "v" if self.prediction == "v_prediction" else "epsilon"
        if len(origins) > 1:
            found["modelspec.merged_from"] = ", ".join(origin.name for origin in origins)
        if notes:
            found["modelspec.description"] = notes
        return {name: value for name, value in found.items() if len(value) < LONGEST_HEADER // 4}


def for_lora(metadata: dict[str, str], family: str, digest: str, ranks: Sequence[int], alphas: Sequence[float]) -> dict[str, str]:
    """The fields that A1111 and its like read from a LoRA. `digest` is the SHA-256 of its tensors' bytes."""
    found = dict(metadata)
    if family in _VERSIONS:
        found["ss_base_model_version"] = _VERSIONS[family]
        found["ss_v2"] = str(family == "sd2")
    found["ss_network_module"] = found.get("ss_network_module", "networks.lora")
    found["ss_network_dim"] = str(ranks[0]) if len(set(ranks)) == 1 else "Dynamic"
    found["ss_network_alpha"] = f"{alphas[0]:g}" if len(set(alphas)) == 1 else "Dynamic"
    found["ss_output_name"] = found["modelspec.title"]
    found["sshs_model_hash"] = digest
    found.pop("sshs_legacy_hash", None)  # of the source's bytes
    found["modelspec.hash_sha256"] = "0x" + digest
    return found


def origin_of(lora: LoraFile, weight: float | None = None, more: Mapping[str, Any] | None = None) -> Origin:
    """With the SHA-256 of the whole file, or of those of a peft folder, and the hash by which the WebUI knows it."""
    hashes = [file.sha256() for file in lora.files]
    whole = hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    known = lora.metadata.get("sshs_model_hash")
    return Origin("lora", lora.name, whole, weight, {**({"model_hash": known} if known else {}), **(more or {})})


def origin_of_model(role: str, model: Model, source: CheckpointSource, weight: float | None = None) -> Origin:
    """Reads the whole file, where its SHA-256 is not known, nor remembered from an earlier time."""
    return Origin(role, model.name, source.sha256 or remembered_hashes().sha256(model.path), weight)


def remembered_hashes() -> Hashes:
    """Of checkpoints, those that the engine computed among them; each holds while its file's size and time stay."""
    return Hashes(hash_file())


def training_metadata(loras: Sequence[LoraFile]) -> dict[str, str]:
    """What may be said of several LoRAs together: of one, everything; of more, the tags that they were trained with."""
    if len(loras) == 1:
        return dict(loras[0].metadata)
    together: dict[str, Any] = {}
    for lora in loras:
        tags = _object(lora.metadata.get("ss_tag_frequency", ""))
        together |= {f"{lora.name}/{folder}": counts for folder, counts in tags.items()}
    return {"ss_tag_frequency": json.dumps(together, ensure_ascii=False)} if together else {}


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _without_paths(settings: Any) -> Any:
    """The settings with names of files in place of paths, and without where the result went."""
    if isinstance(settings, dict):
        return {
            name: _file_name(inner) if name in ("file", "base", "folder") else _without_paths(inner) for name, inner in settings.items()
        }
    return [_without_paths(inner) for inner in settings] if isinstance(settings, list) else settings


def _file_name(value: Any) -> Any:
    return value.replace("\\", "/").rstrip("/").rpartition("/")[2] if isinstance(value, str) else _without_paths(value)
