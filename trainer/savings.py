"""What can be changed when the GPU's memory is full? The cheapest first; and those that leave the training as it is, by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lib_extension.spec.errors import AtelierError
from lib_extension.spec.training import TrainingConfig


class OutOfMemory(AtelierError):
    """The device's memory is full."""

    status = 507

    def __init__(self, step: int, saved: bool) -> None:
        """`saved`: the state before this step is; else one has to go on from an earlier one."""
        super().__init__(f"The GPU's memory is full at step {step + 1}.")
        self.step = step
        self.saved = saved


@dataclass(frozen=True)
class Saving:
    """A setting that takes less memory, and what that costs."""

    setting: str
    value: object
    cost: str
    automatic: bool = False  # whether the same LoRA is trained with it, but for rounding


def savings(config: TrainingConfig) -> tuple[Saving, ...]:
    """Those that are left to make, the cheapest first."""
    memory, data, network = config.memory, config.data, config.network
    found = []
    if not memory.gradient_checkpointing:
        found.append(Saving("memory.gradient_checkpointing", True, "about 27 % slower, the same LoRA", automatic=True))
    if memory.parts < data.batch_size:
        cost = "a little slower, the same LoRA"
        found.append(Saving("memory.parts", min(2 * memory.parts, data.batch_size), cost, automatic=True))
    if not data.cache_latents:
        found.append(Saving("data.cache_latents", True, "nothing: the VAE is not needed any more"))
    if not data.cache_text and not (network.text_encoder or network.text_encoder_2):
        found.append(Saving("data.cache_text", True, "nothing: the text encoders are not needed any more"))
    if memory.precision == "fp32":
        found.append(Saving("memory.precision", "auto", "rounding in the base model"))
    if memory.base == "as precision" and not memory.compile:
        found.append(Saving("memory.base", "8bit", "a little slower; rounding in the base model"))
    elif memory.base == "8bit":
        found.append(Saving("memory.base", "nf4", "slower; more rounding in the base model"))
    if network.text_encoder or network.text_encoder_2:
        found.append(Saving("network.text_encoder", False, "the text encoder learns nothing"))
    if network.rank > 8:
        found.append(Saving("network.rank", network.rank // 2, "the LoRA holds less"))
    if data.resolution > 256:
        found.append(Saving("data.resolution", data.resolution * 3 // 4 // 64 * 64, "smaller pictures, fewer details"))
    return tuple(found)


def message(error: OutOfMemory, config: TrainingConfig) -> str:
    """For people: what happened, where it is saved, and what to change."""
    kept = "All until then is saved" if error.saved else "The last saved state is whole"
    listed = [
        f"{one.setting}={str(one.value).lower() if isinstance(one.value, bool) else one.value} ({one.cost})" for one in savings(config)[:3]
    ]
    advice = f" Change one of these and start it again: {'; '.join(listed)}." if listed else " There is nothing left to save memory by."
    return f"{error} {kept}.{advice}"


def saved_by_itself(config: TrainingConfig) -> tuple[TrainingConfig, Saving] | None:
    """The configuration with the cheapest saving that leaves the training as it is; None if there is none left."""
    for saving in savings(config):
        if saving.automatic:
            part, _, name = saving.setting.partition(".")
            assert part == "memory"
            return replace(config, memory=replace(config.memory, **{name: saving.value})), saving
    return None
