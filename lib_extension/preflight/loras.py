"""Are LoRAs used in a way that they bear?"""

from __future__ import annotations

from collections.abc import Iterator

from lib_extension.preflight.finding import Finding
from lib_extension.preflight.look import Look

LARGE_SUM = 2.0


def lora_weight_over_1(look: Look) -> Iterator[Finding]:
    """A LoRA is trained to act with the weight 1."""
    for use in look.loras:
        if abs(use.weight) > 1:
            yield look.warning(
                _weight_field(use.field),
                f'The LoRA "{use.name}" has the weight {use.weight:g}. It was trained at 1: above that it overdoes what it learnt, and '
                "colours and faces break first. Use 0.6 to 1.",
            )


def lora_without_weight(look: Look) -> Iterator[Finding]:
    """It does nothing, and is still loaded."""
    for use in look.loras:
        if use.weight == 0:
            yield look.warning(_weight_field(use.field), f'The LoRA "{use.name}" has the weight 0, so it does nothing. Leave it out.')


def lora_twice(look: Look) -> Iterator[Finding]:
    """Both act, so that their weights add up."""
    weights: dict[str, float] = {}
    for use in look.loras:
        lora = look.inventory.lora(use.name)
        name = lora.name if lora else use.name
        if name in weights:
            total = weights[name] + use.weight
            yield look.warning(use.field, f'The LoRA "{name}" is used twice; together it acts with the weight {total:g}. Name it once.')
        weights[name] = weights.get(name, 0.0) + use.weight


def lora_weights_large(look: Look) -> Iterator[Finding]:
    """Every one of them changes the same weights of the model."""
    total = sum(abs(use.weight) for use in look.loras)
    if len(look.loras) > 1 and total > LARGE_SUM:
        yield look.warning(
            look.loras[-1].field,
            f"The weights of {len(look.loras)} LoRAs come to {total:g}. All change the same parts of the model, and more than "
            f"{LARGE_SUM:g} in sum mostly blurs what each was for. Lower them or use fewer.",
        )


def _weight_field(field: str) -> str:
    return field if field == "prompt" else f"{field}.weight"
