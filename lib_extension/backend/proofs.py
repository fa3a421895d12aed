"""Does a LoRA, or a ControlNet, do anything there? Where answers do not tell, two smallest pictures do: with it and without it.

Each file is tried once with a checkpoint, so this is a cost of the first call, and not of every call.
"""

from __future__ import annotations

import re
import threading

from PIL import ImageChops

from lib_extension.backend.eligible import SAME_AS_FIRST, loras_in, prompts_of
from lib_extension.backend.errors import Failed, Missing, WrongAnswer
from lib_extension.backend.receipts import lora_hashes, lora_key, not_loaded
from lib_extension.backend.returned import Returned
from lib_extension.backend.smallest import SIDE, Smallest
from lib_extension.spec.control_modules import gives_map
from lib_extension.spec.controlnet import ControlNetUnit, read_units
from lib_extension.spec.inventory import NOTHING
from lib_extension.spec.sdapi import Img2Img, Txt2Img

_Tried = tuple[str, ...]
_MISFIT = re.compile(r"size|shape|dimension")  # what torch says of tensors that do not fit each other


class Proofs:
    """What was shown to act on one backend."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._proven: set[_Tried] = set()
        self._failing: dict[_Tried, str] = {}  # units that did not act, and what was said of them
        self._plain: dict[str, Returned] = {}  # by checkpoint

    def demand(self, body: Txt2Img | Img2Img, smallest: Smallest) -> None:
        """Raises WrongAnswer for a LoRA of the call that changes nothing, and Missing for a ControlNet unit that does not guide there."""
        if smallest.dialect.guards_itself:
            return
        title = _checkpoint_of(body, smallest)
        with self._lock:
            for name in loras_in(prompts_of(body)):
                drawn_with = title if name in loras_in(body.prompt) else _second_of(body, smallest) or title
                self._demand_lora(name, drawn_with, smallest)
            for unit in _acting_units(body):
                if (said := self._failing.get(_tried(unit, title))) is not None:
                    raise Missing(said)
                if not _proven_by_map(unit, smallest):
                    self._demand_unit(unit, title, smallest)

    def blame(self, body: Txt2Img | Img2Img, smallest: Smallest) -> None:
        """After a call whose units did not guide: raises Missing for the one that fails there, if smallest pictures show which.

        It is remembered, so that not every call with it costs a picture.
        """
        if smallest.dialect.guards_itself:
            return
        title = _checkpoint_of(body, smallest)
        with self._lock:
            for unit in _acting_units(body):
                if _proven_by_map(unit, smallest) and not self._with_unit(unit, title, smallest).extras:
                    raise self._fails(unit, title, smallest)

    def forgive(self) -> None:
        """What failed may be tried again: somebody may have put its files there."""
        with self._lock:
            self._failing.clear()

    def _demand_lora(self, name: str, checkpoint: str, smallest: Smallest) -> None:
        found = smallest.inventory.lora(name)
        tried = ("lora", name, found.hash if found else "", checkpoint)
        if tried in self._proven:
            return
        try:
            with_it = smallest.picture(checkpoint=checkpoint, prompt=f"a <lora:{name}:1>")
        except Failed as error:
            if not _MISFIT.search(str(error)):
                raise
            raise WrongAnswer(
                f'The LoRA "{name}" does not fit the checkpoint {checkpoint}; choose one of the same base. {error}'
            ) from error
        if not with_it.fields or lora_key(name) not in lora_hashes(with_it.fields[0]):
            raise not_loaded(name, smallest.where)
        if _equal(with_it, self._without(checkpoint, smallest)):
            raise WrongAnswer(
                f'The LoRA "{name}" changes nothing at {smallest.where}: its file is broken, made for another base than {checkpoint}, '
                "or has names for its weights that this WebUI does not read (those of diffusers or peft). Convert it to kohya's names."
            )
        self._proven.add(tried)

    def _demand_unit(self, unit: ControlNetUnit, checkpoint: str, smallest: Smallest) -> None:
        tried = _tried(unit, checkpoint)
        if tried in self._proven or (unit.module in NOTHING and unit.model in NOTHING):
            return
        if _equal(self._with_unit(unit, checkpoint, smallest), self._without(checkpoint, smallest)):
            raise self._fails(unit, checkpoint, smallest)
        self._proven.add(tried)

    def _fails(self, unit: ControlNetUnit, checkpoint: str, smallest: Smallest) -> Missing:
        said = (
            f"ControlNet {unit.module} with {unit.model} does not guide pictures at {smallest.where}, and it does not say why. "
            f"Does the model fit the base of {checkpoint}, and are the preprocessor's weights there? Look at its console."
        )
        self._failing[_tried(unit, checkpoint)] = said
        return Missing(said)

    @staticmethod
    def _with_unit(unit: ControlNetUnit, checkpoint: str, smallest: Smallest) -> Returned:
        whole = {"weight": 1.0, "guidance_start": 0.0, "guidance_end": 1.0, "processor_res": SIDE}
        return smallest.picture(checkpoint=checkpoint, unit={**smallest.dialect.unit(unit, smallest.inventory), **whole})

    def _without(self, checkpoint: str, smallest: Smallest) -> Returned:
        if checkpoint not in self._plain:
            self._plain[checkpoint] = smallest.picture(checkpoint=checkpoint)
        return self._plain[checkpoint]


def _checkpoint_of(body: Txt2Img | Img2Img, smallest: Smallest) -> str:
    found = smallest.inventory.checkpoint(str((body.override_settings or {}).get("sd_model_checkpoint") or ""))
    return found.title if found else ""


def _second_of(body: Txt2Img | Img2Img, smallest: Smallest) -> str:
    """The title of a second pass's own checkpoint."""
    name = body.hr_checkpoint_name if isinstance(body, Txt2Img) else None
    found = smallest.inventory.checkpoint(name) if name and name not in SAME_AS_FIRST else None
    return found.title if found else ""


def _acting_units(body: Txt2Img | Img2Img) -> list[ControlNetUnit]:
    """Those that a smallest picture can show to act."""
    return [unit for unit in read_units(body.alwayson_scripts).units if unit.enabled and unit.weight and unit.image is not None]


def _proven_by_map(unit: ControlNetUnit, smallest: Smallest) -> bool:
    return smallest.dialect.maps_prove and gives_map(unit.module)


def _tried(unit: ControlNetUnit, checkpoint: str) -> _Tried:
    return ("unit", unit.module, unit.model, checkpoint)


def _equal(one: Returned, other: Returned) -> bool:
    """Whether the first pictures are the same to the bit."""
    if not one.pictures or not other.pictures:
        raise WrongAnswer("A smallest picture did not come: the call was interrupted there. Run it again.")
    first, second = (got.pictures[0].image.convert("RGB") for got in (one, other))
    return first.size == second.size and ImageChops.difference(first, second).getbbox() is None
