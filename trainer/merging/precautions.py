"""What should be known before LoRAs are merged: what is refused, and what is only strange?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lib_extension.spec.errors import BadFile, Mismatch
from lib_extension.spec.merging import LoraSource
from lib_extension.spec.merging.warnings import BASES, BY_OUTPUT, DAMAGED, FOREIGN, STRANGE, TOTAL, TWICE, Warned
from trainer.merging.lora_file import LoraFile
from trainer.merging.model import Model, Part
from trainer.merging.prediction import other_predictions
from trainer.merging.tensor_types import is_finite, is_float

LOOKED_FOR = """Before work, NaN and infinity are looked for in LoRAs, and where every tensor of a checkpoint begins; during it, in every
value that is used. What is damaged elsewhere, in tensors that nothing changes, is copied as it is."""
_TYPES = {"oft": "OFT", "glora": "GLoRA", "ia3": "(IA)³"}


def check_values(lora: LoraFile) -> None:
    """BadFile for NaN or infinity anywhere in the file."""
    for key in lora.keys:
        lora.check(key, lora.tensor(key))


def check_beginnings(model: Model, is_used: Callable[[Part, str], bool]) -> list[Warned]:
    """BadFile for NaN or infinity where a tensor that is used begins, a warning for the others.

    All of a checkpoint's values would take as long to read as the work itself, which looks at every value that it changes. A training or
    a download that went wrong mostly leaves whole tensors damaged, and this finds those at once.
    """
    damaged: list[str] = []
    for part in model.parts:
        for name, told in part.file.in_order():
            if not is_float(told.dtype) or is_finite(part.file.beginning(name)):
                continue
            if is_used(part, name):
                raise damaged_tensor(name, model.name)
            damaged.append(name)
    return [Warned(DAMAGED, {"count": len(damaged), "name": model.name, "one": damaged[0]})] if damaged else []


def damaged_tensor(tensor: str, name: str) -> BadFile:
    """What is said of a checkpoint of that name."""
    return BadFile(f'The tensor "{tensor}" of "{name}" holds NaN or infinity; the file is damaged. Download or make it again.')


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


def warnings_of(loras: Sequence[LoraFile], sources: Sequence[LoraSource], models: Sequence[Model] = ()) -> list[Warned]:
    """What is no mistake for sure. `models`: checkpoints that the LoRAs meet."""
    found = [*_twice(loras), *_other_bases(loras), *other_predictions(models, loras)]
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


def norms_by_output(lora: LoraFile) -> list[Warned]:
    """A DoRA with a norm for each output, as peft's are: under kohya's names, not every program knows them."""
    shapes = [lora.info(module.parts["dora_scale"]).shape for module in lora.modules.values() if "dora_scale" in module.parts]
    of_peft = any("dora_magnitude" in module.parts for module in lora.modules.values())
    return [Warned(BY_OUTPUT, {"name": lora.name})] if of_peft or any(len(shape) > 1 and shape[0] != 1 for shape in shapes) else []


def _twice(loras: Sequence[LoraFile]) -> list[Warned]:
    """By its path, by the hash of its values that its metadata has, or by its bytes, which are read only where another is as long."""
    lengths = [sum(file.path.stat().st_size for file in lora.files) for lora in loras]
    seen: dict[str, str] = {}
    found: list[Warned] = []
    for lora, length in zip(loras, lengths, strict=True):
        marks = {str(lora.path.resolve()), lora.metadata.get("sshs_model_hash", "")} - {""}
        marks |= {" ".join(file.sha256() for file in lora.files)} if lengths.count(length) > 1 else set()
        if before := next((seen[mark] for mark in marks if mark in seen), ""):
            found.append(Warned(TWICE, {"one": before, "other": lora.name}))
        seen |= dict.fromkeys(marks, lora.name)
    return found


def _other_bases(loras: Sequence[LoraFile]) -> list[Warned]:
    """Trained on different checkpoints of one family, as their metadata says: possible, but they fit less well."""
    by_base = {base: lora.name for lora in loras if (base := lora.metadata.get("ss_sd_model_name"))}
    if len(by_base) < 2:
        return []
    return [Warned(BASES, {"bases": ", ".join(f'"{name}": {base}' for base, name in by_base.items())})]
