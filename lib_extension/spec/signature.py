"""How is a call of ours known in a WebUI that has the extension? By a receipt, which the extension's script there writes into infotexts."""

from __future__ import annotations

SCRIPT = "atelier"  # as /sdapi lists it; its first argument is the receipt
FIELD = "Atelier call"  # of the infotext: the receipt. "Atelier" itself is the id of a picture that a run has stored
HALTED = "Atelier halted"  # beside it: "interrupted" or "skipped", where somebody did so
