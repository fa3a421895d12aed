"""`resize`: how does a LoRA get lower ranks, losing as little as can be?"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lib_extension.models.lora_delta import needs_base
from lib_extension.spec.merging import Ranks, ResizeSettings
from trainer.merging.asked import help_of, one_file, read_arguments
from trainer.merging.factors import PRODUCTS, factors_of
from trainer.merging.lora_file import LoraFile
from trainer.merging.lora_names import LoraModule
from trainer.merging.lora_writer import LoraResult, module_of, narrowed, result_type, write_lora
from trainer.merging.low_rank import Missed
from trainer.merging.methods import Met, lower_rank
from trainer.merging.precautions import check_type, check_values, norms_by_output
from trainer.merging.prediction import prediction_of_lora
from trainer.merging.provenance import Provenance, origin_of
from trainer.merging.room import resized_bytes, room_for
from trainer.merging.topology import kernel_of
from trainer.report import Report

USAGE = "python -m trainer resize CONFIG [name=value ...]\npython -m trainer resize LORA --ranks.rank 16 [--name value ...]"


def run(arguments: Sequence[str], report: Report) -> int:
    """The command."""
    if "--help" in arguments:
        report.text(help_of(ResizeSettings, USAGE))
        return 0
    asked = read_arguments(ResizeSettings, arguments, one_file("file"))
    settings = asked.settings
    with LoraFile(settings.file) as lora:
        check_type(lora, "resized")
        name = settings.output.name or f"{lora.name}-{settings.ranks.rank}"
        room = room_for(settings.output, resized_bytes(lora, settings.ranks, result_type(settings.output, lora.types())), settings.ranks)
        for warning in norms_by_output(lora):
            report.value("warning", **warning.told())
        report.value("plan", name=name, family=lora.family, modules=len(lora.modules), bytes=room.size)
        if asked.only_check:
            check_values(lora)
            for warning in room.warnings():
                report.value("warning", **warning.told())
        else:
            room.check()
            _resize(lora, settings, name, report)
    return 0


@torch.no_grad()
def _resize(lora: LoraFile, settings: ResizeSettings, name: str, report: Report) -> None:
    dtype = result_type(settings.output, lora.types())
    modules: list[LoraModule] = []
    missed = Missed()
    for number, path in enumerate(lora.modules):
        module, met = resized(lora, path, settings.ranks, dtype)
        modules.append(module)
        if met is not None:
            missed.add(met.energy, met.lost)
        if number % 64 == 0:
            report.progress(number, len(lora.modules), "modules")
    provenance = Provenance("resize", settings, lora.family, "lora", name, prediction=prediction_of_lora(lora))
    result = LoraResult(modules, provenance, [origin_of(lora)], lora.metadata, lora.encoder)
    path = write_lora(result, settings.output, name)
    ranks = [module.rank for module in modules if module.rank]
    report.value("result", file=str(path), error=missed.error, ranks=[min(ranks, default=0), max(ranks, default=0)])
    report.log(f'Wrote "{path.name}"; ranks {min(ranks, default=0)} to {max(ranks, default=0)}, {missed.told} of the change is lost.')


def resized(lora: LoraFile, path: str, ranks: Ranks, dtype: torch.dtype) -> tuple[LoraModule, Met | None]:
    """A module as LoRA of these ranks; as it is where it is no product of factors, or is a DoRA's on top of one."""
    parsed, parts = lora.modules[path], lora.parts(path)
    over = {part: parts.pop(part) for part in ("dora_scale", "dora_magnitude") if part in parts and needs_base(parts)}
    method = "lora" if {"up", "down"} <= parts.keys() else parsed.method
    if method not in PRODUCTS or (method == "diff" and "diff" not in parts):
        kept = {part: narrowed(tensor, dtype, parsed.parts[part]) for part, tensor in parts.items() if tensor.is_floating_point()}
        return LoraModule(path, parts | kept, parsed.scale or 1.0), None
    factors = factors_of(method, parts, parsed.scale, kernel_of(path, lora.family), parsed.name)
    met = lower_rank(factors, ranks)
    made = module_of(path, met.factors, dtype)
    biases = {"diff_b": parts["diff_b"]} if "diff_b" in parts else {}
    if "lora_B.bias" in parts:  # peft's, as strong as the product
        biases["diff_b"] = narrowed(parts["lora_B.bias"].float() * lora.scale(parsed), dtype, parsed.parts["lora_B.bias"])
    return LoraModule(path, {**made.parts, **over, **biases}), met
