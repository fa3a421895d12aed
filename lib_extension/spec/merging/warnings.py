"""What may be strange about a merge, though no mistake for sure? Sentences that can be translated, and the values in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TOTAL = "The weights add up to {total}; over 1, pictures easily become overdone."
TWICE = 'The same LoRA is there twice: "{one}" and "{other}".'
BASES = "The LoRAs were trained on different checkpoints: {bases}. They may not go well together."
FOREIGN = '{count} modules of "{name}" are not known, such as {one}; they are taken under their own names.'
STRANGE = '{count} tensors of "{name}" belong to no module, such as {one}; they are left out.'
NO_PLACE = '{count} parts of "{name}" have no place in "{model}", such as {one}.'
PREDICTIONS = '"{one}" predicts {its}, and "{other}" predicts {theirs}. They hardly go together.'
ZERO_SNR = '"{one}" learnt to begin with noise alone (zero terminal SNR), and "{other}" did not. They may not go well together.'
DAMAGED = '{count} tensors of "{name}" hold NaN or infinity, such as {one}. Nothing is added to them, and they stay as they are.'
ROOM = "The result takes {needed} GB, and {free} GB are free on that disk. Make room first."
KEPT = '{count} tensors of "{model}" stay as they are, as "{other}" has none of their names, such as {one}.'
BY_OUTPUT = (
    '"{name}" is a DoRA with norms of outputs. ComfyUI knows them; A1111 takes them for norms of inputs, and draws something else. '
    "For A1111, merge it alone, with its checkpoint as base and the method svd."
)
WARNINGS = (TOTAL, TWICE, BASES, FOREIGN, STRANGE, NO_PLACE, PREDICTIONS, ZERO_SNR, DAMAGED, ROOM, KEPT, BY_OUTPUT)


@dataclass(frozen=True)
class Warned:
    """One of WARNINGS, and what stands in the places of its names in braces."""

    said: str
    values: Mapping[str, str | int | float]

    @property
    def text(self) -> str:
        """In English."""
        return self.said.format(**self.values)

    def told(self) -> dict[str, object]:
        """For an event."""
        return {"text": self.text, "said": self.said, "values": dict(self.values)}
