"""What can be changed when the GPU's memory is full? The cheapest first; and by itself those with which a run can go on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lib_extension.spec.errors import AtelierError, BadRequest
from lib_extension.spec.training import TrainingConfig


class OutOfMemory(AtelierError):
    """The device's memory is full."""

    status = 507

    def __init__(self, when: str, saved: bool) -> None:
        """`saved`: the state before that is; else one has to go on from an earlier one, if there is one."""
        super().__init__(f"The GPU's memory is full {when}.")
        self.saved = saved


@dataclass(frozen=True)
class Saving:
    """A setting that takes less memory, and what that costs."""

    setting: str
    value: object
    cost: str
    automatic: bool = True  # whether a run can go on with it, and learns the same but for rounding


def savings(config: TrainingConfig) -> tuple[Saving, ...]:
    """Those that are left to make, the cheapest first."""
    memory, data, network = config.memory, config.data, config.network
    learns_text = network.text_encoder or network.text_encoder_2
    found = []
    if not memory.gradient_checkpointing:
        found.append(Saving("memory.gradient_checkpointing", True, "about 27 % slower, the same LoRA"))
    if memory.parts < data.batch_size:
        found.append(Saving("memory.parts", min(2 * memory.parts, data.batch_size), "a little slower, the same LoRA"))
    if not data.cache_latents and _is_right(config, "data", cache_latents=True):
        found.append(Saving("data.cache_latents", True, "nothing: the VAE is not needed any more"))
    if not data.cache_text and not learns_text and _is_right(config, "data", cache_text=True):
        found.append(Saving("data.cache_text", True, "nothing: the text encoders are not needed any more"))
    if memory.precision == "fp32":
        found.append(Saving("memory.precision", "auto", "rounding in the base model"))
    if network.kind in ("lora", "dora") and not memory.compile:
        if memory.base == "as precision":
            found.append(Saving("memory.base", "8bit", "a little slower; rounding in the base model"))
        elif memory.base == "8bit":
            found.append(Saving("memory.base", "nf4", "slower; more rounding in the base model"))
    if learns_text:
        found.append(Saving("network.text_encoder", False, "in a new run: the text encoder learns nothing", automatic=False))
    if network.rank > 8:
        found.append(Saving("network.rank", network.rank // 2, "in a new run: the LoRA holds less", automatic=False))
    if data.resolution > 256:
        smaller = data.resolution * 3 // 4 // 64 * 64
        found.append(Saving("data.resolution", smaller, "in a new run: smaller pictures, fewer details", automatic=False))
    return tuple(found)


def _is_right(config: TrainingConfig, part: str, **values: object) -> bool:
    """Whether the configuration agrees with itself after a change: what is another text or picture each time cannot be cached."""
    try:
        replace(getattr(config, part), **values).check()
    except BadRequest:
        return False
    return True


def message(error: OutOfMemory, config: TrainingConfig) -> str:
    """For people: what happened, where it is saved, and what to change."""
    kept = "All until then is saved" if error.saved else "What was saved before is whole"
    listed = [
        f"{one.setting}={str(one.value).lower() if isinstance(one.value, bool) else one.value} ({one.cost})" for one in savings(config)[:3]
    ]
    advice = f" Change one of these and start it again: {'; '.join(listed)}." if listed else " There is nothing left to save memory by."
    return f"{error} {kept}.{advice}"


def saved_by_itself(config: TrainingConfig) -> tuple[TrainingConfig, Saving] | None:
    """The configuration with the cheapest saving with which the run can go on; None if there is none left."""
    for saving in savings(config):
        if saving.automatic:
            part, _, name = saving.setting.partition(".")
            return replace(config, **{part: replace(getattr(config, part), **{name: saving.value})}), saving
    return None
