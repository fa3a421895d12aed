"""How do the hashes of models become known? The engine computes them when asked; a WebUI when it first uses the file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lib_extension.backend.errors import Failed
from lib_extension.backend.receipts import embedding_hashes, lora_hashes
from lib_extension.backend.smallest import Smallest
from lib_extension.backend.wire import Wire
from lib_extension.spec.inventory import FileKind

Hashes = dict[tuple[FileKind, str], str]

_LISTS: dict[str, FileKind] = {  # as the engine calls them
    "checkpoints": "checkpoint",
    "loras": "lora",
    "embeddings": "embedding",
    "vaes": "vae",
    "upscalers": "upscaler",
}


@dataclass(frozen=True)
class Files:
    """Names of files whose hashes are asked for."""

    checkpoints: Collection[str] = ()
    loras: Collection[str] = ()
    embeddings: Collection[str] = ()
    vaes: Collection[str] = ()
    upscalers: Collection[str] = ()


def hashes_of(wire: Wire, smallest: Smallest, files: Files) -> Hashes:
    """Of the named files that are there, by kind and the inventory's name. Raises BackendError."""
    inventory = smallest.inventory
    wanted_checkpoints = {found.name for name in files.checkpoints if (found := inventory.checkpoint(name))}
    wanted_loras = {found.name for name in files.loras if (found := inventory.lora(name))}
    wanted_embeddings = {*inventory.named("embedding")} & {*files.embeddings}
    if smallest.dialect.host == "engine":
        names = {
            "checkpoints": wanted_checkpoints,
            "loras": wanted_loras,
            "embeddings": wanted_embeddings,
            "vaes": {*inventory.named("vae")} & {*files.vaes},
            "upscalers": {*inventory.named("upscaler")} & {*files.upscalers},
        }
        told = wire.post("/atelier-engine/v1/hashes", {list: sorted(wanted) for list, wanted in names.items()})
        return {(kind, name): str(hash) for list, kind in _LISTS.items() for name, hash in told.get(list, {}).items()}
    return _of_checkpoints(smallest, wanted_checkpoints) | _of_loras(smallest, wanted_loras) | _of_embeddings(smallest, wanted_embeddings)


def _of_checkpoints(smallest: Smallest, names: Collection[str]) -> Hashes:
    """Only those that were never loaded there cost a picture."""
    found: Hashes = {}
    for name in sorted(names):
        known = smallest.inventory.checkpoint(name)
        if known is not None and not known.hash:
            got = smallest.picture(checkpoint=known.title)
            found["checkpoint", name] = str(got.info.get("sd_model_hash") or "")
    return found


def _of_loras(smallest: Smallest, names: Collection[str]) -> Hashes:
    """At weight 0, which no run uses: a WebUI that holds the old weights of an overwritten file loads it anew when the weight changes."""
    found: Hashes = {}
    for name in sorted(names):
        try:
            got = smallest.picture(prompt=f"a <lora:{name}:0>")
        except Failed:  # a LoRA that does not fit the checkpoint in use; the stage that uses it may name another
            continue
        told = lora_hashes(got.fields[0]) if got.fields else {}
        if told:
            found["lora", name] = next(iter(told.values()))
    return found


def _of_embeddings(smallest: Smallest, names: Collection[str]) -> Hashes:
    """Of those that fit the checkpoint in use; in a picture by another one they would be plain words."""
    found: Hashes = {}
    for name in sorted(names):
        got = smallest.picture(prompt=f"a {name}")
        told = embedding_hashes(got.fields[0]) if got.fields else {}
        if name in told:
            found["embedding", name] = told[name]
    return found
