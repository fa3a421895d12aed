"""`merge`: how do several LoRAs become one?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor

from lib_extension.models.lora_delta import delta, needs_base
from lib_extension.spec.errors import BadRequest, Mismatch
from lib_extension.spec.merging import LoraSource, MergeSettings
from lib_extension.spec.merging.warnings import Warned
from trainer.merging.asked import help_of, read_arguments, weighted
from trainer.merging.factors import PRODUCTS, Factors, factors_of
from trainer.merging.lora_file import LoraFile
from trainer.merging.lora_names import LoraModule
from trainer.merging.lora_writer import LoraResult, module_of, narrowed, result_type, write_lora
from trainer.merging.low_rank import Missed
from trainer.merging.methods import METHODS, Meeting
from trainer.merging.model import Model
from trainer.merging.output_file import short
from trainer.merging.precautions import check_family, check_values, other_type, warnings_of
from trainer.merging.prediction import common_prediction
from trainer.merging.provenance import Provenance, origin_of, training_metadata
from trainer.merging.room import Room, merged_bytes, room_for
from trainer.merging.strength import Strength, strength_of
from trainer.merging.topology import kernel_of
from trainer.report import Report

USAGE = "python -m trainer merge CONFIG [name=value ...]\npython -m trainer merge LORA:WEIGHT ... [--method svd] [--name value ...]"
_EXACT = ("concatenate", "linear")  # methods that keep the factors as they are
_SHIFTS = ("w_norm", "b_norm", "diff_b")  # of norms and biases: added up


def run(arguments: Sequence[str], report: Report) -> int:
    """The command."""
    if "--help" in arguments:
        report.text(help_of(MergeSettings, USAGE))
        return 0
    asked = read_arguments(MergeSettings, arguments, _take_files)
    with ExitStack() as stack:
        merging = _Merging(asked.settings, stack)
        room = merging.room()
        for warning in [*merging.warnings(), *(room.warnings() if asked.only_check else ())]:
            report.value("warning", **warning.told())
        report.value("plan", name=merging.name, family=merging.family, modules=len(merging.paths), bytes=room.size)
        if asked.only_check:
            merging.check_values()
        else:
            room.check()
            merging.run(report)
    return 0


def _take_files(config: dict[str, Any], files: list[str]) -> None:
    config["loras"] = [weighted(file) for file in files]


class _Merging:
    """All LoRAs, open."""

    def __init__(self, settings: MergeSettings, stack: ExitStack) -> None:
        self._settings = settings
        self._loras = [stack.enter_context(LoraFile(source.file)) for source in settings.loras]
        self._base = stack.enter_context(Model(settings.base)) if settings.base else None
        base = (self._base.name, self._base.family) if self._base else ("", "unknown")
        self.family = check_family(self._loras, *base)
        self._strengths: list[Strength] = [strength_of(source, self.family) for source in settings.loras]
        self.name = settings.output.name or short("-".join(lora.name for lora in self._loras))
        self.paths = tuple(dict.fromkeys(path for lora in self._loras for path in lora.modules))
        self._dtype = result_type(settings.output, {name for lora in self._loras for name in lora.types()})

    def warnings(self) -> list[Warned]:
        """What should be known first."""
        return warnings_of(self._loras, self._settings.loras, [self._base] if self._base else [])

    def room(self) -> Room:
        """What the result will take."""
        strengths = list(zip(self._loras, self._strengths, strict=True))
        uses = {path: [lora for lora, strength in strengths if path in lora.modules and strength(path) != 0] for path in self.paths}
        method = self._settings.method
        size = merged_bytes(uses, method, self.family, self._dtype)
        return room_for(self._settings.output, size, getattr(method, "ranks", None))

    def check_values(self) -> None:
        """BadFile for NaN or infinity; `run` looks at the values as it reads them, before anything is written."""
        for lora in self._loras:
            check_values(lora)

    @torch.no_grad()
    def run(self, report: Report) -> None:
        """All modules, one after the other."""
        modules: list[LoraModule] = []
        missed = Missed()
        for number, path in enumerate(self.paths):
            module = self._module(path, missed)
            modules += [module] if module else []
            if number % 64 == 0:
                report.progress(number, len(self.paths), "modules")
        if not modules:
            raise BadRequest("All weights are 0, so nothing would be in the result.")
        encoder = min(lora.encoder for lora in self._loras)  # "lora_te1_" where one says that
        result = LoraResult(modules, self._provenance(), self._origins(), training_metadata(self._loras), encoder)
        path = write_lora(result, self._settings.output, self.name)
        report.value("result", file=str(path), error=missed.error)
        report.log(f'Wrote "{path.name}"' + (f"; it misses {missed.told} of the merged change." if missed.energy else "."))

    def _module(self, path: str, missed: Missed) -> LoraModule | None:
        """The result for a module; `missed` gets what that loses."""
        use = [(lora, strength(path)) for lora, strength in zip(self._loras, self._strengths, strict=True) if path in lora.modules]
        use = [(lora, weight) for lora, weight in use if weight != 0]
        changing = [(lora, weight) for lora, weight in use if not self._is_shift(lora, path)]
        shifts = self._shifts(path, use)
        if not changing:
            return LoraModule(path, shifts) if shifts else None
        factors = [self._factors(lora, path) for lora, _ in changing]
        self._check_sizes(path, [lora for lora, _ in changing], factors)
        met = METHODS[self._settings.method.kind](Meeting(path, factors, [weight for _, weight in changing]), self._settings.method)
        made = module_of(path, met.factors, self._dtype)
        missed.add(met.energy, met.lost)
        return LoraModule(path, {**made.parts, **shifts})

    def _factors(self, lora: LoraFile, path: str) -> Factors:
        parsed, parts = lora.modules[path], lora.parts(path)
        if needs_base(parts):
            return self._decomposed(lora, path, parts)
        return factors_of(parsed.method, parts, parsed.scale, kernel_of(path, self.family), parsed.name)

    def _decomposed(self, lora: LoraFile, path: str, parts: Mapping[str, Tensor]) -> Factors:
        """A DoRA's change, which needs the weight, as a matrix times 1."""
        if self._base is None:
            raise BadRequest(
                f'"{lora.name}" is a DoRA, whose change depends on the checkpoint. Name the one that it was trained on as `base`.'
            )
        if self._settings.method.kind in _EXACT:
            raise BadRequest(f'"{lora.name}" is a DoRA, whose change has no low rank. Choose the method svd, ties, dare or prune.')
        if path not in self._base.places:
            raise Mismatch(f'"{self._base.name}" has no {path}, which "{lora.name}" changes.')
        part, place = self._base.places[path]
        weight = part.file.tensor(place.tensor)[place.first : place.first + place.shape[0]]
        change = delta(parts, weight, lora.modules[path].scale)
        return factors_of("diff", {"diff": change}, 1.0)

    def _is_shift(self, lora: LoraFile, path: str) -> bool:
        parsed = lora.modules[path]
        if set(parsed.parts) <= {*_SHIFTS, "alpha"}:
            return True
        if parsed.method not in (*PRODUCTS, "dora"):
            raise other_type(lora, parsed.method and lora.kind.method, "merged")
        return False

    def _shifts(self, path: str, use: Sequence[tuple[LoraFile, float]]) -> dict[str, Tensor]:
        sums: dict[str, Tensor] = {}
        for lora, weight in use:
            parsed = lora.modules[path]
            for part in (*_SHIFTS, "lora_B.bias"):
                if key := parsed.parts.get(part):
                    name, scale = (part, 1.0) if part in _SHIFTS else ("diff_b", lora.scale(parsed))
                    sums[name] = sums.get(name, torch.tensor(0.0)) + weight * scale * lora.tensor(key).float()
        return {part: narrowed(tensor, self._dtype, path) for part, tensor in sums.items()}

    def _check_sizes(self, path: str, loras: Sequence[LoraFile], factors: Sequence[Factors]) -> None:
        sizes = [(f.up.shape[0], f.down.shape[1]) for f in factors]
        for lora, size in zip(loras, sizes, strict=True):
            if size != sizes[0]:
                raise Mismatch(
                    f'"{loras[0].name}" and "{lora.name}" do not fit each other: {path} is {sizes[0]} in one and {size} in the other.'
                )

    def _provenance(self) -> Provenance:
        return Provenance("merge", self._settings, self.family, "lora", self.name, prediction=common_prediction(self._loras))

    def _origins(self) -> list[Any]:
        return [origin_of(lora, source.weight, _more(source)) for lora, source in zip(self._loras, self._settings.loras, strict=True)]


def _more(source: LoraSource) -> dict[str, Any]:
    """What of a source's weights is not plain."""
    return {name: value for name, value in (("unet", source.unet), ("text_encoder", source.text_encoder)) if value != 1} | (
        {"blocks": source.blocks} if source.blocks else {}
    )
