"""`python -m trainer check CONFIG [name=value ...]`: every mistake of a configuration, its pictures and its models at once."""

from __future__ import annotations

import copy
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

import torch

from lib_extension.formats.base_model import what_is
from lib_extension.formats.safetensors_header import read_header
from lib_extension.models.checkpoint import Checkpoint, Placement, check_attention
from lib_extension.spec.errors import AtelierError, BadRequest
from lib_extension.spec.settings import Settings, from_json
from lib_extension.spec.training import TrainingConfig, check_name
from lib_extension.spec.training.data import DataSettings
from trainer.base_model import find_base, path_of
from trainer.data.buckets import fit_of
from trainer.data.examples import Found, find_examples
from trainer.data.mistakes import lines
from trainer.device import device_name, trained_in
from trainer.evaluation.eyes import Eyes
from trainer.lora_file import check_peft
from trainer.networks.network import Group
from trainer.networks.targets import targets_of
from trainer.optimizers import make_optimizer
from trainer.report import Report
from trainer.run_folder import asked_values, check_run
from trainer.session import cache_folder_of, data_settings
from trainer.step import noising

_UNNAMED = "unnamed"  # stands for a name that is wrong
_MOST = 50  # mistakes of the configuration itself
_PATH = re.compile(r"^([A-Za-z_][\w.\[\]]*) (?:is|has|does)\b")


def run(arguments: Sequence[str], report: Report) -> int:
    """The exit status: 0 where nothing stands in the way of training."""
    values = asked_values(arguments, report)
    config, mistakes = readable(values)
    notes: list[str] = []
    if config is not None:
        mistakes += mistakes_of(config, notes, found := Findings())
        if found.pictures is not None:
            report.value("found", family=found.family, **asdict(found.pictures))
    for note in notes:
        report.log(note)
    mistakes = list(dict.fromkeys(mistakes))
    for mistake in mistakes:
        report.value("mistake", text=mistake)
    if mistakes:
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "A mistake"
        raise BadRequest(f"{count}:\n" + "\n".join(mistakes))
    report.log("Nothing stands in the way of training.")
    return 0


def readable(values: dict[str, Any]) -> tuple[TrainingConfig | None, list[str]]:
    """The configuration without the fields that are wrong, so that the rest of it is looked at, too; and what is wrong with those."""
    found: list[str] = []
    mended = dict(values)
    for name, kind in get_type_hints(TrainingConfig).items():
        if name in values and isinstance(kind, type) and issubclass(kind, Settings):
            part = _mended(kind, values[name], name, found)
            mended = {**mended, name: part} if part is not None else {other: held for other, held in mended.items() if other != name}
    if "name" in values:
        try:
            check_name(values["name"])
        except (BadRequest, AttributeError, TypeError) as error:
            found.append(str(error) if isinstance(error, BadRequest) else "name must be text.")
            mended["name"] = _UNNAMED
    part = _mended(TrainingConfig, mended, "", found)
    return (from_json(TrainingConfig, part) if part is not None else None), found


def _mended(kind: type[Settings], values: Any, where: str, found: list[str]) -> Any:
    """The values without those that are wrong; None where the rest makes no sense either."""
    values = copy.deepcopy(values)
    for _ in range(_MOST):
        try:
            from_json(kind, values, where)
            return values
        except BadRequest as error:
            found.append(str(error))
            if not _without(values, str(error), where):
                break
    if where == "data" and isinstance(values, dict) and set(values) != {"concepts"}:  # at least its folders are looked at
        return _mended(kind, {"concepts": values.get("concepts", [])}, where, [])
    return None


@dataclass(frozen=True)
class Pictures:
    """What was found of them. `buckets`: width, height, and how many pictures; `notes`: what is strange, one line for each kind."""

    pictures: int
    validation: int
    captioned: int
    masked: int
    buckets: list[tuple[int, int, int]]
    notes: list[str]


@dataclass
class Findings:
    """What is known beside the mistakes, as far as it was come to."""

    family: str = ""  # of the base model
    pictures: Pictures | None = None


def mistakes_of(config: TrainingConfig, notes: list[str], findings: Findings | None = None) -> list[str]:
    """What is wrong with a configuration that can be read. `notes` gets what is worth knowing and wrong with nothing."""
    found: list[str] = []
    findings = findings or Findings()

    def tried(look: Callable[[], Any]) -> Any:
        try:
            return look()
        except AtelierError as error:
            found.append(str(error))

    tried(lambda: _runs(config))
    tried(lambda: make_optimizer(config.optimizer, [Group("trial", "unet", 1.0, (torch.nn.Parameter(torch.ones(128, 64)),))]))
    found += _of_files(config)
    if config.evaluation.on and config.evaluation.tagger:
        tried(lambda: Eyes(config.evaluation.tagger))
    checkpoint = tried(lambda: _shapes(config))
    if checkpoint is not None:
        findings.family = checkpoint.family
        tried(lambda: targets_of(checkpoint, config.network))
        tried(lambda: noising(checkpoint.noise, config.loss, config.model.prediction))
    found += _of_start(config, checkpoint.family if checkpoint else "")
    if config.output.peft_copy:
        tried(lambda: check_peft(config.network))
    tried(lambda: check_run(config))
    found += _of_pictures(config, notes, findings)
    return found


def _runs(config: TrainingConfig) -> None:
    """BadRequest for a device that is not there, or that does not train so."""
    device = device_name(config.memory)
    trained_in(config.memory, device)
    check_attention(Placement(torch.device(device), attention=config.memory.attention))
    if config.memory.base != "as precision":
        from trainer.frozen import check_base  # here, as only those who ask for it should wait for bitsandbytes

        check_base(config.memory.base, config.network)


def _without(values: Any, mistake: str, where: str) -> bool:
    """Takes away the field that a mistake names; whether there was one."""
    named = _PATH.match(mistake)
    if named is None:
        return False
    parts = [int(number) if number else word for word, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", named[1].removeprefix(where + "."))]
    place = values
    try:
        for part in parts[:-1]:
            place = place[part]
        del place[parts[-1]]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _of_files(config: TrainingConfig) -> Iterator[str]:
    if config.model.vae:
        try:
            path_of(config.model.vae, "VAE")
        except AtelierError as error:
            yield str(error)
    if config.run.sample_by and not config.output.lora_folder:
        yield "run.sample_by names a WebUI, which draws with a file in its Lora folder; name that by output.lora_folder."
    if config.output.lora_folder and not Path(config.output.lora_folder).expanduser().is_dir():
        yield f'output.lora_folder is "{config.output.lora_folder}", and there is no such folder.'
    folder = Path(config.output.folder).expanduser().resolve()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        yield f'output.folder is "{config.output.folder}", on whose way there is a file.'
    elif shutil.disk_usage(existing).free < 100_000_000:
        yield "The disk of output.folder has less than 100 MB left. Make room, or name another folder."


def _shapes(config: TrainingConfig) -> Checkpoint:
    """The base model without its weights: names and shapes say whether it is one, of which family, and whether the network fits."""
    base = find_base(replace(config.model, vae=""), Placement(), cache_folder_of(config))
    return base.load(leave_out=("unet", "vae", "text"))


def _of_start(config: TrainingConfig, family: str) -> Iterator[str]:
    if not config.network.start_from:
        return
    try:
        path = path_of(config.network.start_from, "LoRA")
        kind = what_is(read_header(path))
    except AtelierError as error:
        yield str(error)
        return
    if kind.kind != "lora":
        yield f'network.start_from is "{path.name}", which is no LoRA but a {kind.kind}.'
    elif family and kind.families and family not in kind.families:
        yield f'network.start_from is "{path.name}", a LoRA for {kind.family}; the base model is of the family {family}.'


def _of_pictures(config: TrainingConfig, notes: list[str], findings: Findings) -> list[str]:
    try:
        data = data_settings(config)
        cache = cache_folder_of(config)
        found = find_examples(data, cache, remembers=cache.is_dir())
        findings.pictures = _counted(data, found)
        notes += found.lines()
        notes.append(f"{len(found.examples)} pictures to train on, {len(found.validation)} kept apart.")
        found.refuse_if_bad()
    except AtelierError as error:
        return [str(error)]
    return []


def _counted(data: DataSettings, found: Found) -> Pictures:
    buckets = Counter(fit_of(data, one).bucket for one in found.examples if one.width and one.height)
    captioned = sum(bool(one.caption.strip()) for one in found.examples)
    sizes = [(width, height, count) for (height, width), count in sorted(buckets.items())]
    notes = lines(problem for problem in found.problems if not problem.fatal)
    return Pictures(len(found.examples), len(found.validation), captioned, sum(one.masked for one in found.examples), sizes, notes)
