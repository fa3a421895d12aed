"""How are the saves of a run compared when it has ended?"""

from __future__ import annotations

from dataclasses import dataclass

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field

_STRONGEST = 3.0


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings(Settings):
    """What is drawn and measured of each saved LoRA file, once the training is done."""

    on: bool = field(True, label="Compare the saves", help="At the end, by pictures that each of them draws; the best is proposed.")
    prompts: tuple[str, ...] = field(
        (), label="Prompts", prompt=True, help="What is drawn to compare; empty: the samples' prompts, or else captions of the training."
    )
    weights: tuple[float, ...] = field(
        (0.4, 0.6, 0.8, 1.0, 1.2), label="Weights of the LoRA", help="The columns of the sheet.", advanced=True
    )
    tagger: str = field(
        "",
        label="Folder of the tagger or CLIP",
        help="A tagger's with model.onnx and selected_tags.csv, or a whole download of a CLIP, such as openai/clip-vit-large-patch14; "
        "demo: the bundled model's tagger, which the bundled model has anyway. Empty: pictures are not judged by what they show.",
        advanced=True,
    )
    pictures: int = field(2, label="Pictures per prompt", minimum=1, maximum=64, help="From as many seeds.", advanced=True)

    def check(self) -> None:
        """Weights that a sheet can be made of."""
        if not self.weights:
            raise BadRequest("evaluation.weights is empty; name at least one, or set evaluation.on to false.")
        for weight in self.weights:
            if not 0 <= weight <= _STRONGEST:
                raise BadRequest(f"evaluation.weights holds {weight:g}; weights are from 0 to {_STRONGEST:g}.")
