"""How does a picture say which call it was made for, and whether that call was cut short? In its infotext, by a receipt from the call."""

from __future__ import annotations

from typing import Any

from lib_extension.host import working
from lib_extension.spec.signature import FIELD, HALTED


def sign(p: Any, receipt: object) -> None:
    """Have the infotexts of what is drawn next carry the receipt."""
    if isinstance(receipt, str) and receipt:
        p.extra_generation_params[FIELD] = receipt


def note_halt(told: Any, receipt: object) -> None:
    """Write down that somebody interrupted or skipped; `told`: what is drawn, or has been. The WebUI's own answer does not say it."""
    if receipt and (halted := working.halted()):
        told.extra_generation_params[HALTED] = halted
