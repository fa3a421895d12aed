"""Do masks that are known beforehand choose something, and not everything?"""

from __future__ import annotations

from collections.abc import Iterator

from lib_extension.masks.upload import UploadMask
from lib_extension.preflight.finding import Finding
from lib_extension.preflight.look import Look

ALL = 0.999  # of the picture


def empty_mask(look: Look) -> Iterator[Finding]:
    """WebUIs turn an "only masked" redraw of nothing into one of the whole picture; here the recipe decides."""
    for field, name in _known_masks(look):
        if _coverage(look, name) != 0:
            continue
        told = f'The mask "{name}" chooses nothing: it is black, or transparent, everywhere.'
        if look.stage.when_empty == "fail":
            yield look.error(field, f"{told} White is chosen; paint what is meant, or say in when_empty what to do then.")
        elif look.stage.when_empty == "whole":
            whole = "as when_empty says, although only what is masked was to be" if _only_masked(look) else "as when_empty says"
            yield look.warning(field, f"{told} All of the picture will be chosen, {whole}.")
        else:
            yield look.warning(field, f"{told} The stage will make nothing, as when_empty says.")


def full_mask(look: Look) -> Iterator[Finding]:
    """Then the mask does nothing."""
    for field, name in _known_masks(look):
        coverage = _coverage(look, name)
        if coverage is not None and coverage >= ALL:
            yield look.warning(
                field, f'The mask "{name}" chooses everything: it is white everywhere. Is it inverted, or was it not painted?'
            )


def _known_masks(look: Look) -> Iterator[tuple[str, str]]:
    """(field, name) of the masks that are inputs or stages, as they are."""
    if not hasattr(look.stage, "when_empty"):
        return
    for field in ("mask", "paste_back"):
        use = getattr(look.stage, field, "")
        if isinstance(use, tuple) and len(use) == 1:
            use = use[0]
        if isinstance(use, UploadMask) and not use.then:
            yield f"{field}.of", use.of
        elif isinstance(use, str) and use:
            yield field, use


def _coverage(look: Look, name: str) -> float | None:
    facts = (look.others or {}).get(name)
    return facts.coverage if facts else None


def _only_masked(look: Look) -> bool:
    return bool(getattr(look.stage, "inpaint_full_res", False))
