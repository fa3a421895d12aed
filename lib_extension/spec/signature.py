"""How is a call of ours known in a WebUI that has the extension? By a receipt, which the extension's script there writes into infotexts."""

from __future__ import annotations

SCRIPT = "atelier"  # as /sdapi lists it; its first argument is the receipt
FIELD = "Atelier"  # of the infotext: the receipt
HALTED = "Atelier halted"  # beside it: "interrupted" or "skipped", where somebody did so
