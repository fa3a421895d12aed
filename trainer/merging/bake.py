"""`bake`: how do LoRAs, or other checkpoints, become part of a checkpoint, in one pass over it?"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extension.models.hashes import stamp
from lib_extension.spec.merging import BakeSettings
from lib_extension.spec.merging.warnings import KEPT, NO_PLACE, Warned
from trainer.merging.asked import help_of, read_arguments, weighted
from trainer.merging.changes import Use, plan_changes, without_bias
from trainer.merging.lora_file import LoraFile
from trainer.merging.mixing import plan_mixing, unmixed
from trainer.merging.model import Model
from trainer.merging.model_folder import check_pickles, rest_of
from trainer.merging.output_file import OutputFile, folder_aside, make_folder, place, short
from trainer.merging.precautions import LOOKED_FOR, check_beginnings, check_family, check_values, warnings_of
from trainer.merging.prediction import prediction_of
from trainer.merging.provenance import Origin, Provenance, origin_of, origin_of_model, remembered_hashes
from trainer.merging.room import Room
from trainer.merging.streaming import Stream, Work
from trainer.merging.strength import strength_of
from trainer.report import Report

USAGE = "python -m trainer bake CONFIG [name=value ...]\npython -m trainer bake CHECKPOINT LORA:WEIGHT ... [--name value ...]"
_OFTEN = 0.3  # seconds between two reports


@dataclass(frozen=True)
class Opened:
    """All files of a baking, open."""

    model: Model
    uses: tuple[Use, ...]
    other: Model | None
    minus: Model | None


def run(arguments: Sequence[str], report: Report) -> int:
    """The command."""
    if "--help" in arguments:
        report.text(help_of(BakeSettings, f"{USAGE}\n\n{LOOKED_FOR}"))
        return 0
    asked = read_arguments(BakeSettings, arguments, _take_files)
    settings = asked.settings
    with ExitStack() as stack:
        opened = _open(settings, stack)
        works = _works(opened, settings)
        for warning in _warnings(opened, works, settings):
            report.value("warning", **warning.told())
        size = sum(planned.size for work in works for planned in work.plan()) + sum(file.stat().st_size for file in _rest(opened.model))
        folder, name = Path(settings.output.folder), settings.output.name or _name(opened)
        report.value("plan", name=name, bytes=size, family=opened.model.family, touched=sum(len(w.changes) + len(w.mixed) for w in works))
        room = Room(folder, size)
        for warning in room.warnings() if asked.only_check else ():
            report.value("warning", **warning.told())
        if not asked.only_check:
            room.check()
            make_folder(folder)
            path = _bake(opened, works, settings, _Progress(report, works), folder, name)
            report.value("result", file=str(path), bytes=size)
            report.log(f'Wrote "{path.name}".')
    return 0


def _take_files(config: dict[str, Any], files: list[str]) -> None:
    config["checkpoint"] = {"file": files[0]}
    config["loras"] = [weighted(file) for file in files[1:]]


def _open(settings: BakeSettings, stack: ExitStack) -> Opened:
    model = stack.enter_context(Model(settings.checkpoint.file))
    for folder in sorted(path for path in model.path.iterdir() if path.is_dir()) if model.path.is_dir() else ():
        check_pickles(folder)
    loras = [stack.enter_context(LoraFile(source.file)) for source in settings.loras]
    check_family(loras, model.name, model.family)
    for lora in loras:
        check_values(lora)
    uses = tuple(Use(lora, strength_of(source, model.family)) for lora, source in zip(loras, settings.loras, strict=True))
    mix = settings.mix
    other = stack.enter_context(Model(mix.other.file)) if mix else None
    minus = stack.enter_context(Model(mix.minus.file)) if mix and mix.minus else None
    return Opened(model, uses, other, minus)


def _works(opened: Opened, settings: BakeSettings) -> list[Work]:
    changes = plan_changes(opened.model, opened.uses)
    mixed: Sequence[dict[str, Any]] = [{} for _ in opened.model.parts]
    if opened.other is not None:
        assert settings.mix
        mixed = plan_mixing(opened.model, opened.other, opened.minus, settings.mix)
    parts = zip(opened.model.parts, changes, mixed, strict=True)
    others = [(model.name, part.file) for model in (opened.other, opened.minus) if model for part in model.parts]
    return [Work(part.file, changed, with_others, settings.output.precision, others) for part, changed, with_others in parts]


def _warnings(opened: Opened, works: Sequence[Work], settings: BakeSettings) -> list[Warned]:
    loras = [use.lora for use in opened.uses]
    others = [model for model in (opened.other, opened.minus) if model]
    found = warnings_of(loras, settings.loras, [opened.model, *others])
    by_part = list(zip(opened.model.parts, works, strict=True))
    changed = {part.key(name) for part, work in by_part for name, told in part.file.in_order() if work.changes_values(name, told)}
    mixed = {part.key(name) for part, work in by_part for name in work.mixed}
    found += check_beginnings(opened.model, lambda part, name: part.key(name) in changed)
    for other in others:  # what is not mixed of them does not matter
        check_beginnings(other, lambda part, name: part.key(name) in mixed)
    for other in (opened.other, opened.minus):
        if settings.mix and other and (kept := unmixed(opened.model, other, settings.mix)):
            found.append(Warned(KEPT, {"count": len(kept), "model": opened.model.name, "other": other.name, "one": kept[0]}))
    for lora in loras:
        unmatched = [*lora.for_modules(opened.model.places)[1], *without_bias(opened.model, lora)]
        if unmatched:
            values = {"count": len(unmatched), "name": lora.name, "model": opened.model.name, "one": unmatched[0]}
            found.append(Warned(NO_PLACE, values))
    return found


def _bake(opened: Opened, works: list[Work], settings: BakeSettings, progress: Callable[[int, int], None], folder: Path, name: str) -> Path:
    provenance = Provenance("bake", settings, opened.model.family, "checkpoint", name, prediction=prediction_of(opened.model))
    origins = [origin_of(use.lora, source.weight) for use, source in zip(opened.uses, settings.loras, strict=True)]
    if settings.mix:
        asked = [("B", opened.other, settings.mix.other), ("C", opened.minus, settings.mix.minus)]
        origins += [origin_of_model(role, model, source, settings.mix.share) for role, model, source in asked if model and source]
    if opened.model.path.is_dir():
        return _bake_folder(opened.model, works, provenance, origins, settings, progress, folder, name)
    (work,) = works
    kept = work.file.header.metadata
    hashes, before = remembered_hashes(), stamp(opened.model.path)
    known = settings.checkpoint.sha256 or hashes.known(opened.model.path)

    def metadata(sha256: str) -> dict[str, str]:
        found = provenance.metadata([Origin("checkpoint", opened.model.name, sha256), *origins], kept, settings.output.notes)
        return {name: value for name, value in found.items() if name != "modelspec.hash_sha256"}

    digest = None if known else hashlib.sha256()
    with OutputFile(folder, name, work.plan(), metadata(known or "0" * 64)) as output:
        Stream(work, output, lambda done: progress(0, done), digest).run()
        if digest is not None:
            hashes.remember(opened.model.path, before, digest.hexdigest())
        described = opened.model.path.with_suffix(".yaml")  # tells the WebUI how a network is built, where that is not the usual one
        whole = metadata(known or (digest.hexdigest() if digest else ""))
        return output.finish(whole, described if described.is_file() else None)


def _bake_folder(
    model: Model,
    works: list[Work],
    provenance: Provenance,
    origins: list[Origin],
    settings: BakeSettings,
    progress: Callable[[int, int], None],
    folder: Path,
    name: str,
) -> Path:
    """Written aside as a whole, as its files are of no use without each other."""
    origins = [origin_of_model("checkpoint", model, settings.checkpoint), *origins]
    with folder_aside(folder, name) as aside:
        for source in _rest(model):
            target = aside / source.relative_to(model.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        for number, (part, work) in enumerate(zip(model.parts, works, strict=True)):
            path = aside / part.path
            metadata = provenance.metadata(origins, part.file.header.metadata, settings.output.notes)
            with OutputFile(path.parent, path.stem, work.plan(), metadata) as output:
                Stream(work, output, lambda done, number=number: progress(number, done)).run()
                output.finish()
        return place(aside, folder, name)


def _rest(model: Model) -> list[Path]:
    """What a folder holds besides what is changed, and has to be beside it."""
    return rest_of(model.path, {part.path for part in model.parts}) if model.path.is_dir() else []


def _name(opened: Opened) -> str:
    names = [opened.model.name, *(m.name for m in (opened.other, opened.minus) if m), *(use.lora.name for use in opened.uses)]
    return short("-".join(names))


class _Progress:
    """Tells how far all parts are, not too often."""

    def __init__(self, report: Report, works: Sequence[Work]) -> None:
        self._report = report
        self._sizes = [work.file.path.stat().st_size for work in works]
        self._told = 0.0
        self._begun = time.monotonic()

    def __call__(self, part: int, done: int) -> None:
        now, total = time.monotonic(), sum(self._sizes)
        passed = sum(self._sizes[:part]) + done
        if now - self._told >= _OFTEN or passed == total:
            self._told = now
            left = (now - self._begun) * (total - passed) / passed if passed else None
            self._report.progress(passed, total, "bytes", left)
