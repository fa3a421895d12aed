"""What can be named in a recipe? The names that the backends have, of all of them together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lib_extension.backend.backend import Backend
from lib_extension.backend.errors import BackendError
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.surroundings import Seen, keeping_hashes, last_seen
from lib_extension.spec.inventory import Inventory

# Word of a schema's x-names → the names of an inventory that it stands for.
_NAMES: dict[str, Callable[[Inventory], Iterable[Any]]] = {
    "checkpoints": lambda inventory: inventory.named("checkpoint"),
    "samplers": lambda inventory: [one.name for one in inventory.samplers],
    "schedulers": lambda inventory: [one.label for one in inventory.schedulers],
    "upscalers": lambda inventory: inventory.named("upscaler"),
    "vaes": lambda inventory: ["Automatic", *inventory.named("vae")],
    "loras": lambda inventory: inventory.named("lora"),
    "embeddings": lambda inventory: inventory.named("embedding"),
    "controlnet_models": lambda inventory: ["None", *inventory.named("controlnet")],
    "controlnet_modules": lambda inventory: inventory.modules,
    "styles": lambda inventory: [getattr(style, "name", style) for style in inventory.styles],
    "scripts": lambda inventory: inventory.scripts,
}


def supplies(backends: Sequence[Backend], ledger: Ledger, fresh: bool = False) -> dict[str, list[str]]:
    """Lists of names, by the words of x-names; "problems" tells of backends that do not answer.

    As they were last seen; one that never was, or each if `fresh`, is asked now.
    """
    inventories: list[Inventory] = []
    problems: list[str] = []
    for backend in backends:
        before = last_seen(ledger, backend.spec)
        if before is not None and not fresh:
            inventories.append(before.inventory)
            continue
        try:
            inventories.append(_look(backend, ledger, before))
        except BackendError as error:
            problems.append(str(error))
            inventories += [before.inventory] if before else []
    lists = {word: _united(names(inventory) for inventory in inventories) for word, names in _NAMES.items()}
    return {**lists, "problems": problems}


def _look(backend: Backend, ledger: Ledger, before: Seen | None) -> Inventory:
    """What the backend has now; written down with the hashes that were known before, so that keys stay what they were."""
    inventory = backend.inventory(fresh=before is not None)
    if before is not None:
        inventory = keeping_hashes(inventory, before.inventory)
    fingerprint = before.fingerprint if before is not None else ""  # hashes are as old as that
    ledger.backends.saw(backend.spec, dataclasses.asdict(Seen(backend.identity(), inventory, fingerprint)))
    return inventory


def _united(lists: Iterable[Iterable[str]]) -> list[str]:
    """Each name once, in the order in which the backends have them."""
    return list(dict.fromkeys(name for names in lists for name in names))
