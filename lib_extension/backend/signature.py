"""Was this answer made for this call, and to its end? A WebUI that has the extension is told a receipt, and signs its pictures with it.

The receipt is made of the call, so that the same call gets the same picture's file again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from lib_extension.backend.returned import Returned
from lib_extension.spec.inventory import Inventory
from lib_extension.spec.signature import HALTED, SCRIPT

_DIGITS = 16


def signs(inventory: Inventory) -> bool:
    """Whether the host has our script, which signs what it is told to."""
    return SCRIPT in inventory.scripts


def signed(sent: Mapping[str, Any], inventory: Inventory) -> tuple[dict[str, Any], str]:
    """The body with a receipt, and the receipt; as it is, and '', where the host does not sign or somebody uses the script otherwise."""
    scripts = sent["alwayson_scripts"]
    if not signs(inventory) or any(name.lower() == SCRIPT for name in scripts):
        return dict(sent), ""
    receipt = hashlib.sha256(json.dumps(sent, sort_keys=True, default=str).encode()).hexdigest()[:_DIGITS]
    return {**sent, "alwayson_scripts": {**scripts, SCRIPT: {"args": [receipt]}}}, receipt


def was_halted(got: Returned) -> bool:
    """Whether the script noted that somebody interrupted or skipped the call."""
    told = got.info.get("extra_generation_params")
    return isinstance(told, Mapping) and bool(told.get(HALTED))
