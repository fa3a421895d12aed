"""`convert`: how does a LoRA get other names, another precision or another type, and stay the same LoRA?

Names and strengths are moved, never multiplied into the values: what is converted there and back is what it was, bit for bit, where the
precision is the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lib_extension.models.lora_delta import needs_base
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.merging import ConvertSettings
from trainer.merging.asked import help_of, one_file, read_arguments
from trainer.merging.factors import scale_of
from trainer.merging.lora_file import LoraFile
from trainer.merging.lora_names import LoraModule, Naming
from trainer.merging.lora_writer import LoraResult, narrowed, number, result_type, write_lora
from trainer.merging.low_rank import Missed
from trainer.merging.precautions import check_type, check_values, norms_by_output, strange_tensors
from trainer.merging.prediction import prediction_of_lora
from trainer.merging.provenance import Provenance, origin_of
from trainer.merging.resize import resized
from trainer.merging.room import Room, converted_bytes, resized_bytes, room_for
from trainer.merging.tensor_types import torch_type, written_as
from trainer.report import Report

USAGE = "python -m trainer convert CONFIG [name=value ...]\npython -m trainer convert LORA --naming diffusers [--name value ...]"

_OTHERS = ("hada", "lokr", "diff")  # what becomes LoRA


def run(arguments: Sequence[str], report: Report) -> int:
    """The command."""
    if "--help" in arguments:
        report.text(help_of(ConvertSettings, USAGE))
        return 0
    asked = read_arguments(ConvertSettings, arguments, one_file("file"))
    settings = asked.settings
    with LoraFile(settings.file) as lora:
        if settings.type == "lora":
            check_type(lora, "converted")
        name = settings.output.name or f"{lora.name}-{settings.naming}"
        room = _room(lora, settings)
        report.value("plan", name=name, family=lora.family, modules=len(lora.modules), bytes=room.size)
        norms = norms_by_output(lora) if settings.naming == "kohya" else []
        for warning in [*strange_tensors(lora), *norms, *(room.warnings() if asked.only_check else ())]:
            report.value("warning", **warning.told())
        if asked.only_check:
            check_values(lora)
        else:
            room.check()
            _convert(lora, settings, name, report)
    return 0


def _room(lora: LoraFile, settings: ConvertSettings) -> Room:
    if settings.type == "lora" and any(parsed.method in _OTHERS for parsed in lora.modules.values()):
        size = resized_bytes(lora, settings.ranks, result_type(settings.output, lora.types()))
        return room_for(settings.output, size, settings.ranks)
    return room_for(settings.output, converted_bytes(lora, settings.output.precision))


@torch.no_grad()
def _convert(lora: LoraFile, settings: ConvertSettings, name: str, report: Report) -> None:
    modules: list[LoraModule] = []
    missed = Missed()
    for path, parsed in lora.modules.items():
        if settings.type == "lora" and parsed.method in _OTHERS:
            _refuse_dora(lora, path)
            module, met = resized(lora, path, settings.ranks, result_type(settings.output, lora.types()))
            modules.append(_spelled(module.path, dict(module.parts), None, settings.naming))
            if met is not None:
                missed.add(met.energy, met.lost)
        else:
            modules.append(_spelled(path, _typed(lora, path, settings), parsed.scale, settings.naming))
    result = LoraResult(
        modules,
        Provenance("convert", settings, lora.family, "lora", name, prediction=prediction_of_lora(lora)),
        [origin_of(lora)],
        lora.metadata,
        lora.encoder,
    )
    path = write_lora(result, settings.output, name, settings.naming)
    report.value("result", file=str(path), error=missed.error)
    report.log(f'Wrote "{path.name}"' + (f"; {missed.told} of the change is lost." if missed.energy else "."))


def _typed(lora: LoraFile, path: str, settings: ConvertSettings) -> dict[str, Tensor]:
    """The module's tensors in the precision asked for."""
    found = {}
    for part, key in lora.modules[path].parts.items():
        tensor, stored = lora.tensor(key), lora.info(key).dtype
        lora.check(key, tensor)
        wanted = written_as(settings.output.precision, stored)
        if wanted != stored:
            dtype = torch_type(wanted, key)
            tensor = number(tensor.item(), dtype) if part == "alpha" else narrowed(tensor, dtype, key)
        found[part] = tensor
    return found


def _spelled(path: str, parts: dict[str, Tensor], scale: float | None, naming: Naming) -> LoraModule:
    """With its strength where the naming has it, and with a DoRA's norms by output. `scale`: what metadata says, if it does."""
    rank = parts["down"].shape[0] if "down" in parts else 0
    if naming == "kohya":
        if scale is not None and rank:
            parts = {"alpha": number(scale * rank, parts["down"].dtype), **parts}
        if "lora_B.bias" in parts:  # peft's, as strong as the product
            bias = parts.pop("lora_B.bias")
            parts["diff_b"] = narrowed(bias.float() * scale_of(parts, rank), bias.dtype, path)
        return LoraModule(path, parts, scale_of(parts, rank) if rank else 1.0)
    if "dora_scale" in parts:
        values = parts.pop("dora_scale")
        if values.ndim < 2 or values.shape[0] != parts["up"].shape[0] or values.numel() != values.shape[0]:
            raise BadRequest(
                f"{path} is a DoRA with a norm for each input; diffusers and peft have one for each output. Keep the names kohya."
            )
        parts["dora_magnitude"] = values.flatten()
    scale = scale_of(parts, rank) if scale is None else scale
    return LoraModule(path, {part: tensor for part, tensor in parts.items() if part != "alpha"}, scale)


def _refuse_dora(lora: LoraFile, path: str) -> None:
    if needs_base(lora.modules[path].parts):
        raise BadRequest(
            f'"{lora.name}" is a DoRA on top of its type; its change cannot be written as a LoRA without the checkpoint. Use merge.'
        )
