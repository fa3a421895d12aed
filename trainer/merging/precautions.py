"""What should be known before LoRAs are merged: what is refused, and what is only strange?"""

from __future__ import annotations

from collections.abc import Sequence

from lib_extension.spec.errors import BadFile, Mismatch
from lib_extension.spec.merging import LoraSource
from lib_extension.spec.merging.warnings import BASES, FOREIGN, STRANGE, TOTAL, TWICE, Warned
from trainer.merging.lora_file import LoraFile

_TYPES = {"oft": "OFT", "glora": "GLoRA", "ia3": "(IA)³"}


def check_values(lora: LoraFile) -> None:
    """BadFile for NaN or infinity anywhere in the file."""
    for key in lora.keys:
        lora.check(key, lora.tensor(key))


def check_family(loras: Sequence[LoraFile], model: str = "", family: str = "unknown") -> str:
    """The family that all have in common, "unknown" where none is known. Mismatch, naming both, where two differ."""
    known, known_by = family, f'the checkpoint "{model}"'
    for lora in loras:
        if lora.family == "unknown":
            continue
        if known not in ("unknown", lora.family):
            raise Mismatch(f'The LoRA "{lora.name}" is made for {lora.family}, and {known_by} for {known}. They cannot be merged.')
        known, known_by = lora.family, f'the LoRA "{lora.name}"'
    return known


def check_type(lora: LoraFile, done: str) -> None:
    """BadFile for a LoRA whose change is no product of matrices."""
    if lora.kind.method in _TYPES:
        raise other_type(lora, lora.kind.method, done)


def other_type(lora: LoraFile, method: str, done: str) -> BadFile:
    """Why a LoRA of another type is not merged, baked or resized, and what can be done with it all the same."""
    if not method:
        return BadFile(f'"{lora.name}" is incomplete: not every module has all of its parts. Download or export it again.')
    return BadFile(
        f'"{lora.name}" is of the type {_TYPES.get(method, method)}; LoRA, LoCon, LoHa, LoKr, DoRA and full differences can be {done}. '
        f"Name it in the prompt, beside the result, as <lora:{lora.name}:1>."
    )


def warnings_of(loras: Sequence[LoraFile], sources: Sequence[LoraSource]) -> list[Warned]:
    """What is no mistake for sure."""
    found = [*_twice(loras), *_other_bases(loras)]
    total = sum(abs(source.weight) for source in sources)
    if total > 1:
        found.append(Warned(TOTAL, {"total": f"{total:g}"}))
    for lora in loras:
        foreign = [name for name in lora.modules if not name.startswith(("unet.", "text_encoder"))]
        if foreign and lora.family != "unknown":
            found.append(Warned(FOREIGN, {"count": len(foreign), "name": lora.name, "one": foreign[0]}))
        found += strange_tensors(lora)
    return found


def strange_tensors(lora: LoraFile) -> list[Warned]:
    """What is in the file beside its modules, if anything is."""
    return [Warned(STRANGE, {"count": len(lora.strange), "name": lora.name, "one": lora.strange[0]})] if lora.strange else []


def _twice(loras: Sequence[LoraFile]) -> list[Warned]:
    seen: dict[str, str] = {}
    found: list[Warned] = []
    for lora in loras:
        is_same = str(lora.path.resolve())
        by_hash = lora.metadata.get("sshs_model_hash") or is_same
        for mark in {is_same, by_hash}:
            if mark in seen:
                found.append(Warned(TWICE, {"one": seen[mark], "other": lora.name}))
                break
        seen |= {is_same: lora.name, by_hash: lora.name}
    return found


def _other_bases(loras: Sequence[LoraFile]) -> list[Warned]:
    """Trained on different checkpoints of one family, as their metadata says: possible, but they fit less well."""
    by_base = {base: lora.name for lora in loras if (base := lora.metadata.get("ss_sd_model_name"))}
    if len(by_base) < 2:
        return []
    return [Warned(BASES, {"bases": ", ".join(f'"{name}": {base}' for base, name in by_base.items())})]
