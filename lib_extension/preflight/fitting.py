"""Do the files that a stage names fit each other? Their headers say what they are and which base models they are made for."""

from __future__ import annotations

from collections.abc import Iterator

from lib_extension.formats.kind import Family, KindName
from lib_extension.preflight.finding import Finding
from lib_extension.preflight.look import Look
from lib_extension.preflight.prompt_words import plain_words
from lib_extension.spec.errors import BadFile
from lib_extension.spec.inventory import NOTHING, FileKind

FAMILY_NAMES = {"sd1": "SD 1.x", "sd2": "SD 2.x", "sdxl": "SDXL", "sd3": "SD 3", "flux": "Flux"}

_TAKEN_AS: dict[FileKind, tuple[KindName, ...]] = {
    "checkpoint": ("checkpoint", "unet"),
    "lora": ("lora",),
    "vae": ("vae", "checkpoint"),
    "controlnet": ("controlnet", "t2i-adapter", "ip-adapter"),
}
_DEAF_TO = {"a1111": ("peft", "diffusers"), "forge": ("peft",)}  # namings of LoRAs that have no effect there
# Of an embedding whose file is not at hand: how wide its vectors are, as hosts tell it; SDXL's two text encoders come to 2048.
_BY_VECTOR_WIDTH: dict[int, tuple[Family, ...]] = {768: ("sd1",), 1024: ("sd2",), 2048: ("sdxl",)}
_ONLY_BASE = ("sd1", "sd2", "sdxl")  # A1111 reads SD3's LoRAs by their diffusers names


def unsound_file(look: Look) -> Iterator[Finding]:
    """A file that cannot be read is left out by WebUIs, without a word."""
    for field, kind, name in look.files:
        try:
            look.headers(kind, name)
        except BadFile as problem:
            yield look.error(field, str(problem))


def other_kind_of_file(look: Look) -> Iterator[Finding]:
    """A file in the wrong folder."""
    for field, kind, name in look.files:
        found = look.kind(kind, name)
        if found is not None and found.kind != "unknown" and found.kind not in _TAKEN_AS[kind]:
            yield look.error(
                field, f'"{name}" is used as a {kind}, but its file is a {found.kind}. Name another, or move it to its folder.'
            )


def lora_of_another_family(look: Look) -> Iterator[Finding]:
    """It would have no effect, or break the call."""
    for use in look.loras:
        yield from _misfit(look, use.field, _families(look, "lora", use.name), use.name, "LoRA")


def controlnet_of_another_family(look: Look) -> Iterator[Finding]:
    """The unit would fail, and the picture would not be guided."""
    for where, control in look.units:
        if control.model not in NOTHING:
            yield from _misfit(look, f"{where}.model", _families(look, "controlnet", control.model), control.model, "ControlNet")


def vae_of_another_family(look: Look) -> Iterator[Finding]:
    """Pictures would be noise."""
    if look.drawn is not None and look.drawn.vae not in NOTHING:
        yield from _misfit(look, "vae", _families(look, "vae", look.drawn.vae), look.drawn.vae, "VAE")


def embedding_of_another_family(look: Look) -> Iterator[Finding]:
    """Its name is read as plain words then."""
    if look.drawn is None:
        return
    in_use = look.checkpoint is not None and look.checkpoint is look.inventory.checkpoint("")
    for field in ("prompt", "negative_prompt"):
        named = look.inventory.embeddings_in(plain_words(getattr(look.drawn, field)))
        for embedding in (found for found in look.inventory.embeddings if found.name in named):
            kind = look.kind("embedding", embedding.name)
            families = kind.families if kind is not None else _BY_VECTOR_WIDTH.get(embedding.width, ())
            if families:
                yield from _misfit(look, field, families, embedding.name, "embedding")
            elif in_use and not embedding.fits and look.checkpoint is not None:
                yield look.warning(
                    field,
                    f'The embedding "{embedding.name}" does not fit the checkpoint "{look.checkpoint.name}": its name is read as plain '
                    "words. Use one that is made for it.",
                )


def refiner_without_sdxl(look: Look) -> Iterator[Finding]:
    """Refiners read what SDXL writes, and nothing else."""
    if look.drawn is None or not look.drawn.refiner_checkpoint or look.checkpoint is None:
        return
    own, second = look.family, look.family_of(look.inventory.checkpoint(look.drawn.refiner_checkpoint))
    if "unknown" not in (own, second) and own != second:
        told = f'"{look.checkpoint.name}" is {FAMILY_NAMES[own]}, the refiner "{look.drawn.refiner_checkpoint}" is {FAMILY_NAMES[second]}'
        yield look.error("refiner_checkpoint", f"{told}: it cannot go on with the other's picture. Leave it out, or use two that fit.")
    elif own not in ("sdxl", "unknown") and own != second:
        told = f'"{look.checkpoint.name}" is {FAMILY_NAMES[own]}, and refiners are made for SDXL'
        yield look.warning("refiner_checkpoint", f"{told}: it breaks the picture unless it is {FAMILY_NAMES[own]} too. Leave it out.")


def lora_names_not_read(look: Look) -> Iterator[Finding]:
    """Some WebUIs look for kohya's names only: a file with others has no effect there, though the infotext lists it."""
    deaf_to = _DEAF_TO.get(look.inventory.host, ())
    for use in look.loras:
        kind = look.kind("lora", use.name)
        if kind is not None and kind.naming in deaf_to and kind.family in (*_ONLY_BASE, "unknown"):
            yield look.error(
                use.field,
                f'The LoRA "{use.name}" has {kind.naming} names for its tensors, which have no effect in this WebUI. '
                "Convert it to kohya's names (lora_unet_…), or use reForge or the embedded engine.",
            )


def _families(look: Look, kind: FileKind, name: str) -> tuple[Family, ...]:
    found = look.kind(kind, name)
    return found.families if found is not None else ()


def _misfit(look: Look, field: str, families: tuple[Family, ...], name: str, what: str) -> Iterator[Finding]:
    if not families or look.family == "unknown" or look.family in families or look.checkpoint is None:
        return
    made_for = " or ".join(FAMILY_NAMES[family] for family in families)
    own = FAMILY_NAMES[look.family]
    yield look.error(
        field,
        f'The {what} "{name}" is made for {made_for}, and the checkpoint "{look.checkpoint.name}" is {own}. '
        f"Use one that is made for {own}, or another checkpoint.",
    )
