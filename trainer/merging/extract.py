"""`extract`: which LoRA comes nearest to what further training changed in a checkpoint?"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from lib_extension.spec.errors import BadFile, BadRequest, Mismatch
from lib_extension.spec.merging import ExtractSettings
from lib_extension.spec.merging.warnings import Warned
from trainer.merging.asked import help_of, read_arguments
from trainer.merging.factors import Factors
from trainer.merging.keeping import nearly_best
from trainer.merging.left_out import LeftOut, differing, only_in
from trainer.merging.lora_names import LoraModule
from trainer.merging.lora_writer import LoraResult, module_of, result_type, write_lora
from trainer.merging.low_rank import Missed, squares
from trainer.merging.model import Model
from trainer.merging.output_file import short
from trainer.merging.precautions import LOOKED_FOR, check_beginnings, damaged_tensor
from trainer.merging.prediction import other_predictions, prediction_of
from trainer.merging.provenance import Provenance, origin_of_model
from trainer.merging.room import extracted_bytes, room_for
from trainer.merging.tensor_types import is_finite
from trainer.merging.topology import is_attention
from trainer.report import Report

USAGE = "python -m trainer extract CONFIG [name=value ...]\npython -m trainer extract BASE TRAINED [--ranks.rank 32] [--name value ...]"
_NOT_LORA = ("norm", "norm1", "norm2", "norm3", "layer_norm1", "layer_norm2", "final_layer_norm", "conv_norm_out")


@dataclass
class Found:
    """What was extracted so far."""

    modules: list[LoraModule]
    left_out: LeftOut
    missed: Missed = field(default_factory=Missed)


def run(arguments: Sequence[str], report: Report) -> int:
    """The command."""
    if "--help" in arguments:
        report.text(help_of(ExtractSettings, f"{USAGE}\n\n{LOOKED_FOR}"))
        return 0
    asked = read_arguments(ExtractSettings, arguments, _take_files)
    settings = asked.settings
    with ExitStack() as stack:
        base, tuned = (stack.enter_context(Model(source.file)) for source in (settings.base, settings.tuned))
        paths = _paths(base, tuned, settings)
        name = settings.output.name or short(f"{tuned.name}-{base.name}")
        room = room_for(
            settings.output, extracted_bytes([base.places[path][1].shape for path in paths], settings.ranks, _type(base, settings))
        )
        for warning in [*_warnings(base, tuned, paths), *(room.warnings() if asked.only_check else ())]:
            report.value("warning", **warning.told())
        report.value("plan", name=name, family=base.family, modules=len(paths), bytes=room.size)
        if not asked.only_check:
            room.check()
            _extract(base, tuned, paths, settings, name, report)
    return 0


def _take_files(config: dict[str, Any], files: list[str]) -> None:
    if len(files) != 2:
        raise BadRequest(f"Name two checkpoints, the base and the one trained further; there are {len(files)}.")
    config["base"], config["tuned"] = {"file": files[0]}, {"file": files[1]}


def _paths(base: Model, tuned: Model, settings: ExtractSettings) -> list[str]:
    """The modules that are looked at, as they lie in the base's file. Mismatch where the two are no relatives."""
    if base.family != tuned.family:
        raise Mismatch(
            f'"{base.name}" is {base.family} and "{tuned.name}" is {tuned.family}; only checkpoints of one family have a difference.'
        )
    for model in (base, tuned):
        model.check_whole()
    paths = [path for path in base.places if path in tuned.places and _is_wanted(path, settings)]
    for path in paths:
        (_, ours), (_, theirs) = base.places[path], tuned.places[path]
        if ours.shape != theirs.shape:
            raise Mismatch(
                f'"{base.name}" and "{tuned.name}" do not fit: {path} is {list(ours.shape)} in one and {list(theirs.shape)} in the other.'
            )
    files = {id(part): number for number, part in enumerate(base.parts)}

    def lies(path: str) -> tuple[int, int, int]:
        part, place = base.places[path]
        return files[id(part)], part.file.header.tensors[place.tensor].offsets[0], place.first

    return sorted(paths, key=lies)


def _warnings(base: Model, tuned: Model, paths: Sequence[str]) -> list[Warned]:
    """BadFile for what is damaged. Modules that do not differ are left out, so that the LoRA may become smaller than its room."""
    for model in (base, tuned):
        looked_at = {(id(part), place.tensor) for part, place in (model.places[path] for path in paths)}
        check_beginnings(model, lambda part, name, taken=looked_at: (id(part), name) in taken)
    return other_predictions([base, tuned])


def _type(base: Model, settings: ExtractSettings) -> torch.dtype:
    """Of the result's tensors."""
    return result_type(settings.output, {part.file.header.tensors[place.tensor].dtype for part, place in base.places.values()})


def _is_wanted(path: str, settings: ExtractSettings) -> bool:
    if not path.startswith("unet.") and not settings.text_encoder:
        return False
    return is_attention(path) or (settings.modules == "all" and path.startswith("unet.") and path.rpartition(".")[2] not in _NOT_LORA)


@torch.no_grad()
def _extract(base: Model, tuned: Model, paths: Sequence[str], settings: ExtractSettings, name: str, report: Report) -> None:
    left_out = LeftOut(only_base=only_in(base, tuned), only_tuned=only_in(tuned, base), no_place=list(differing(base, tuned, paths)))
    found = Found([], left_out)
    dtype = _type(base, settings)
    for number, path in enumerate(paths):
        kernel = base.places[path][1].shape[2:]
        _add(path, kernel, _change(base, tuned, path), settings, dtype, found)
        if number % 16 == 0:
            report.progress(number, len(paths), "modules")
    for line in left_out.told(base.name, tuned.name, settings.least):
        report.log(line)
    if not found.modules:
        raise BadRequest(f'"{base.name}" and "{tuned.name}" do not differ in what a LoRA can hold.')
    provenance = Provenance("extract", settings, base.family, "lora", name, {"left_out": left_out.counts()}, prediction_of(tuned))
    origins = [origin_of_model("base", base, settings.base), origin_of_model("tuned", tuned, settings.tuned)]
    path = write_lora(LoraResult(found.modules, provenance, origins, {}), settings.output, name)
    report.value("result", file=str(path), error=found.missed.error, modules=len(found.modules), left_out=left_out.counts())
    report.log(f'Wrote "{path.name}"; {len(found.modules)} modules, {found.missed.told} of their change is lost.')


def _change(base: Model, tuned: Model, path: str) -> Tensor:
    """(out, in · kernel), float32. BadFile where it is not finite."""
    (part, place), (other, there) = base.places[path], tuned.places[path]
    change = other.file.rows(there.tensor, there.first, there.shape[0]).float()
    if not part.file.header.tensors[place.tensor].dtype.startswith(("F", "BF")):
        raise BadFile(f'"{place.tensor}" of "{base.name}" is of a type that has no differences.')
    change -= part.file.rows(place.tensor, place.first, place.shape[0])
    if not isfinite(squares(change)):
        is_theirs = not is_finite(other.file.tensor(there.tensor))
        raise damaged_tensor(there.tensor, tuned.name) if is_theirs else damaged_tensor(place.tensor, base.name)
    return change


def _add(path: str, kernel: tuple[int, ...], change: Tensor, settings: ExtractSettings, dtype: torch.dtype, found: Found) -> None:
    """Take the module in, if enough changed in it."""
    if squares(change) == 0:
        found.left_out.same.append(path)
        return
    if settings.least and float(change.abs().max()) <= settings.least:
        found.left_out.small.append(path)
        return
    cut = nearly_best(change, settings.ranks, kernel, settings.iterations, settings.seed)
    found.modules.append(module_of(path, Factors(cut.up, cut.down, kernel), dtype))
    found.missed.add(cut.energy, cut.lost)
