"""Which LoRAs does a prompt ask for?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lib_extension.engine.prompt import ExtraNetwork, extra_networks, lora_tag
from lib_extension.models.hashes import network_hash
from lib_extension.models.library import Library
from lib_extension.models.lora import LoraUse
from lib_extension.spec.errors import AtelierError, BadRequest

KINDS = ("lora", "lyco")


@dataclass(frozen=True)
class Prompt:
    """A prompt without its tags, and the LoRAs that these name."""

    text: str
    loras: tuple[LoraUse, ...] = ()

    @property
    def key(self) -> tuple[tuple[str, int, float, float], ...]:
        """Equal keys, equal weights in the networks."""
        return tuple((str(use.found.path), use.found.path.stat().st_mtime_ns, use.unet_weight, use.te_weight) for use in self.loras)


def hashes_told(prompts: Iterable[Prompt]) -> str | None:
    """``Lora hashes`` of the infotext, of all prompts that a picture is drawn by; None without LoRAs."""
    used = {use.found.stem: use.found.path for prompt in prompts for use in prompt.loras}
    return ", ".join(f"{name}: {network_hash(path)[:12]}" for name, path in used.items()) or None


def read_prompt(prompt: str, library: Library, *, disabled: bool, lenient: bool) -> Prompt:
    """Strict raises NotFound for a LoRA that is not there and BadRequest for another kind of tag; lenient leaves them out."""
    text, tags = extra_networks(prompt)
    if disabled:
        return Prompt(text)
    uses = [use for tag in tags if (use := _use(tag, library, lenient=lenient)) is not None]
    return Prompt(text, tuple(uses))


def _use(tag: ExtraNetwork, library: Library, *, lenient: bool) -> LoraUse | None:
    try:
        if tag.kind not in KINDS:
            raise BadRequest(f"<{tag.kind}:...> is not known; the engine has <lora:name:weight>.")
        asked = lora_tag(tag)
        return LoraUse(library.lora(asked.name), asked.unet_weight, asked.text_encoder_weight)
    except AtelierError:
        if lenient:
            return None
        raise
