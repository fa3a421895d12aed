"""How is a LoRA trained as a job? By the trainer in the worker's environment; and how is a training looked at before?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib_extension.jobs.kind import Around, JobKind
from lib_extension.jobs.merging import places_in
from lib_extension.setup.environment import Environment
from lib_extension.spec.errors import BadRequest, NotFound
from lib_extension.spec.settings import Settings, field, from_json, to_json
from lib_extension.spec.training import TrainingConfig

STOPPED = 3  # the trainer's status when it ended early with everything saved
_VAES = ("VAE", "Stable-diffusion")  # folders of a WebUI's models
_ACTIVATIONS = 2 << 30  # bytes of a step and of CUDA itself, about
_UNKNOWN_BASE = 7 << 30


@dataclass(frozen=True)
class TrainingLook(Settings):
    """A training that is looked at before it is started, whole or not."""

    training: dict[str, Any] = field({}, label="Training")


def _filled(config: TrainingConfig, around: Around) -> TrainingConfig:
    return from_json(TrainingConfig, filled(to_json(config), around))


def _look_filled(look: TrainingLook, around: Around) -> TrainingLook:
    return replace(look, training=filled(look.training, around))


def filled(asked: Mapping[str, Any], around: Around) -> dict[str, Any]:
    """The config with paths in place of a WebUI's names, and the runs' folder where it is kept. BadRequest for folders out of bounds."""
    config: dict[str, Any] = json.loads(json.dumps(asked))
    output = config.setdefault("output", {})
    if isinstance(output, dict):
        output["folder"] = str(around.folder / str(output.get("folder") or "training-runs"))
    for part, names in (("model", ("checkpoint", "vae")), ("network", ("start_from",))):
        told = config.get(part)
        if not isinstance(told, dict):
            continue
        for name in names:
            if isinstance(told.get(name), str) and told[name]:
                told[name] = path_of(told[name], name, around)
    if around.roots is not None:
        _keep_inside(config, around.roots)
    return config


def path_of(name: str, what: str, around: Around) -> str:
    """Where the file lies that a backend calls `name`, such as "v1-5 [6ce0161689]"; what is no such name stays as it is."""
    bare = name.rpartition(" [")[0] if name.endswith("]") and " [" in name else name
    if bare == "demo" or Path(name).is_absolute():
        return bare
    if what == "vae":
        models = around.models or Path("models").absolute()
        return str(next((file for folder in _VAES if (file := models / folder / bare).is_file()), bare))
    try:
        return str(places_in(around).file("checkpoints" if what == "checkpoint" else "loras", name))
    except NotFound:
        return bare


def lora_folder(around: Around) -> str:
    """Where the backends look for LoRAs; '' where there is no such folder."""
    return next((str(folder) for folder in places_in(around).folders["loras"] if folder.is_dir()), "")


def is_inside(path: Path, roots: Sequence[Path]) -> bool:
    """Whether it lies in one of the folders, wherever links lead."""
    try:
        real = path.expanduser().resolve()
    except (OSError, RuntimeError):
        return False
    return any(real.is_relative_to(root.resolve()) for root in roots)


def _keep_inside(config: Mapping[str, Any], roots: Sequence[Path]) -> None:
    for where, text in _paths(config):
        if text and text != "demo" and not is_inside(Path(text), roots):
            raise BadRequest(f'{where} is "{text[-80:]}", outside of the folders that may be used from here.')


def _paths(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Where in a config which path stands."""
    single = ("model.checkpoint", "model.vae", "network.start_from", "data.cache_folder", "output.folder", "output.lora_folder")
    single += ("evaluation.tagger",)
    for where in single:
        part, name = where.split(".")
        told = config.get(part)
        if isinstance(told, Mapping) and isinstance(told.get(name), str):
            yield where, told[name]
    data = config.get("data")
    concepts = data.get("concepts") if isinstance(data, Mapping) else None
    for place, concept in enumerate(concepts if isinstance(concepts, list) else []):
        for name in ("folder", "metadata", "masks"):
            if isinstance(concept, Mapping) and isinstance(concept.get(name), str):
                yield f"data.concepts[{place}].{name}", concept[name]


def run_folder(config: Mapping[str, Any]) -> Path:
    """Of a training: as the trainer finds it."""
    return Path(config["output"]["folder"]) / config["name"]


def needs(config: Mapping[str, Any]) -> int:
    """Bytes on a GPU, about: the base model, and what a step and the libraries take."""
    if str(config["memory"]["device"]).startswith("cpu"):
        return 0
    file = Path(config["model"]["checkpoint"]).expanduser()
    try:
        files = [file] if file.is_file() else [one for one in file.rglob("*.safetensors") if file.is_dir()]
        size = sum(one.stat().st_size for one in files)
    except OSError:
        size = 0
    return (size or _UNKNOWN_BASE) + _ACTIVATIONS


def _trainer(command: str) -> Callable[[Environment, Path], Sequence[str]]:
    return lambda environment, config: [str(environment.python), "-m", "trainer", command, str(config)]


def _look(command: str) -> Callable[[Environment, Path], Sequence[str]]:
    def begin(environment: Environment, config: Path) -> Sequence[str]:
        told = json.loads(config.read_text(encoding="utf-8"))["training"]
        file = config.with_name("training.json")
        file.write_text(json.dumps(told), encoding="utf-8")
        return _trainer(command)(environment, file)

    return begin


TRAINING: dict[str, JobKind] = {
    "train": JobKind(
        settings=TrainingConfig,
        title=lambda settings: f"LoRA {settings.name}" if settings else "Train a LoRA",
        command=_trainer("train"),
        makes_models=True,
        patience=120.0,
        fill=_filled,
        run_folder=run_folder,
        stopped=STOPPED,
        needs=needs,
    ),
    "check": JobKind(TrainingLook, lambda _: "Look at the pictures", _look("check"), patience=0.0, is_aside=True, fill=_look_filled),
    "estimate": JobKind(TrainingLook, lambda _: "Estimate a training", _look("estimate"), patience=0.0, is_aside=True, fill=_look_filled),
}
