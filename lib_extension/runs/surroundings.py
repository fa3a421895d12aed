"""What do keys need to know of the backends? The identity of every file that a recipe names, and the class that pictures depend on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from lib_extension.backend.backend import Backend
from lib_extension.backend.errors import BackendError
from lib_extension.backend.hashes import Files
from lib_extension.backend.pool import Pool
from lib_extension.plan.graph import Facts, Plan
from lib_extension.runs.ledger import Ledger
from lib_extension.spec.inventory import Checkpoint, Embedding, Identity, Inventory, Lora, Network, Sampler, Scheduler, Style, Vae

_LISTS = {
    "checkpoints": Checkpoint,
    "samplers": Sampler,
    "schedulers": Scheduler,
    "loras": Lora,
    "vaes": Vae,
    "embeddings": Embedding,
    "styles": Style,
    "networks": Network,
}
_TUPLES = ("upscalers", "latent_modes", "scripts", "controlnets", "modules")
_HASHED = ("checkpoint", "lora", "embedding", "vae", "upscaler")  # in the order of Files
_KINDS = ("checkpoint", "lora", "vae", "controlnet", "upscaler", "embedding", "style", "network")


File = TypeVar("File", Checkpoint, Lora, Embedding, Vae)


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a backend is and has."""

    identity: Identity
    inventory: Inventory
    fingerprint: str = ""  # of the backend when it was asked; '' where only asking tells whether it is the same


Planner = Callable[[Facts], Plan]


class Surroundings:
    """Some backends as a plan sees them."""

    def __init__(self, ledger: Ledger, pool: Pool) -> None:
        self._ledger = ledger
        self._backends = pool.backends
        self._helper = pool.helper
        self._files = pool.files
        self._seen: dict[str, Seen] = {}
        self._helper_has: Inventory | None = None
        self._asked: set[tuple[str, str]] = set()  # (kind, name) of every file that the latest plan named
        self._prompts: set[str] = set()  # that the latest plan has
        self.notices: list[str] = []

    def plan(self, make: Planner, facts: Facts) -> Plan:
        """A plan by what the backends have now, after they were asked; `facts` are those of the ledger.

        Raises BackendError where one does not answer that never did before.
        """
        plan = self.as_last_seen(make, facts)
        before = self._told()
        for backend in self._backends:
            self._learn(backend)
        self._learn_of_helper()
        return plan if self._told() == before else self.plan_again(make, facts)

    def plan_again(self, make: Planner, facts: Facts) -> Plan:
        """A plan by what was learnt the last time."""
        self._asked, self._prompts = set(), set()
        return make(dataclasses.replace(facts, identities=self._identity, embeddings=self._embeddings, backend=self._class()))

    def as_last_seen(self, make: Planner, facts: Facts) -> Plan:
        """A plan without waking any backend that was seen before."""
        self._seen = {backend.spec: last_seen(self._ledger, backend.spec) or self._look(backend) for backend in self._backends}
        helper = last_seen(self._ledger, self._helper.spec) if self._helper is not None and not self._has_engine else None
        self._helper_has = helper.inventory if helper else None
        return self.plan_again(make, facts)

    def _learn_of_helper(self) -> None:
        """What networks the helper has, where the plan needs any and no backend has its own; it is not woken while it stays what it was."""
        helper = self._helper
        if helper is None or self._has_engine or not any(kind == "network" for kind, _ in self._asked):
            return
        seen = last_seen(self._ledger, helper.spec)
        if seen is None or not seen.fingerprint or seen.fingerprint != helper.fingerprint():
            try:
                seen = self._look(helper, fresh=True)
            except BackendError as error:
                self.notices.append(f"{error} What it would find in pictures is not known beforehand.")
        self._helper_has = seen.inventory if seen else None

    @property
    def _has_engine(self) -> bool:
        return any(seen.inventory.host == "engine" for seen in self._seen.values())

    def unchanged(self) -> bool:
        """Whether every backend is certainly what it was when it was last seen; nothing is started or asked for that."""
        seen = [(backend, last_seen(self._ledger, backend.spec)) for backend in self._backends]
        return all(before is not None and before.fingerprint and before.fingerprint == backend.fingerprint() for backend, before in seen)

    def _class(self) -> str:
        """That of all backends, or all classes where there are several: which of them makes a picture is not known beforehand."""
        return " + ".join(sorted({seen.identity.class_ for seen in self._seen.values()}))

    def _told(self) -> tuple[object, ...]:
        """All that the latest plan's keys know of the backends."""
        embeddings = {prompt: self._named_in(prompt) for prompt in self._prompts}
        return self._class(), {file: self._identify(*file) for file in self._asked}, embeddings

    def _identity(self, kind: str, name: str) -> str:
        self._asked.add((kind, name))
        return self._identify(kind, name)

    def _embeddings(self, prompt: str) -> tuple[str, ...]:
        self._prompts.add(prompt)
        return self._named_in(prompt)

    def _named_in(self, prompt: str) -> tuple[str, ...]:
        found = {name for seen in self._seen.values() for name in seen.inventory.embeddings_in(prompt)}
        return tuple(sorted(found))

    def _identify(self, kind: str, name: str) -> str:
        """All that the name stands for: two backends may have different files under it."""
        if kind not in _KINDS:
            return ""
        inventories = [seen.inventory for seen in self._seen.values()]
        if kind == "network" and self._helper_has is not None:
            inventories.append(self._helper_has)
        found = {identity for inventory in inventories if (identity := inventory.identity(kind, name))}
        local = self._files(kind, name) if name in found else ""  # for who knows only the name
        return " | ".join(sorted(found | {local} - {""}))

    def _look(self, backend: Backend, fresh: bool = False) -> Seen:
        fingerprint = backend.fingerprint()  # before it is asked: what changes meanwhile is a change
        seen = Seen(backend.identity(), backend.inventory(fresh), fingerprint)
        self._ledger.backends.saw(backend.spec, dataclasses.asdict(seen))
        return seen

    def _learn(self, backend: Backend) -> None:
        """Ask for what it has now, and for the hashes of the files that the plan names."""
        before, fingerprint = self._seen[backend.spec], backend.fingerprint()
        names = [[name for asked, name in sorted(self._asked) if asked == kind] for kind in _HASHED]
        try:
            inventory = backend.learn(Files(*names))
            seen = Seen(backend.identity(), inventory, fingerprint)
        except BackendError as error:
            self.notices.append(f"{error} The plan is made by what it had when it was last seen.")
            return
        if fingerprint and fingerprint == before.fingerprint:
            seen = dataclasses.replace(seen, inventory=keeping_hashes(inventory, before.inventory))
        if seen != before:
            self._seen[backend.spec] = seen
            self._ledger.backends.saw(backend.spec, dataclasses.asdict(seen))


def last_seen(ledger: Ledger, spec: str) -> Seen | None:
    """What the ledger remembers of a backend."""
    told = ledger.backends.last_seen(spec)
    if told is None:
        return None
    try:
        return Seen(Identity(**told["identity"]), _inventory(told["inventory"]), str(told.get("fingerprint", "")))
    except (TypeError, KeyError):  # of another version
        return None


def keeping_hashes(inventory: Inventory, before: Inventory) -> Inventory:
    """The inventory with the hashes that an earlier one knew and it does not."""
    return dataclasses.replace(
        inventory,
        checkpoints=_with_hashes(inventory.checkpoints, before.checkpoints),
        loras=_with_hashes(inventory.loras, before.loras),
        embeddings=_with_hashes(inventory.embeddings, before.embeddings),
        vaes=_with_hashes(inventory.vaes, before.vaes),
        upscaler_hashes={**before.upscaler_hashes, **inventory.upscaler_hashes},
    )


def inventories_of(ledger: Ledger, pool: Pool) -> list[Inventory]:
    """What the backends had when they were last seen; a WebUI's with the networks of the helper, where those are certainly there still."""
    seen = [found.inventory for backend in pool.backends if (found := last_seen(ledger, backend.spec)) is not None]
    helper = last_seen(ledger, pool.helper.spec) if pool.helper is not None else None
    if pool.helper is None or helper is None or not helper.fingerprint or helper.fingerprint != pool.helper.fingerprint():
        return seen
    networks = helper.inventory.networks
    return [found if found.host == "engine" else dataclasses.replace(found, networks=networks) for found in seen]


def _with_hashes(files: Sequence[File], before: Sequence[File]) -> tuple[File, ...]:
    known = {file.name: file.hash for file in before if file.hash}
    return tuple(dataclasses.replace(file, hash=known[file.name]) if not file.hash and file.name in known else file for file in files)


def _inventory(told: Mapping[str, Any]) -> Inventory:
    lists = {name: tuple(cls(**_tuples(one)) for one in told[name]) for name, cls in _LISTS.items()}
    return Inventory(**{**told, **{name: tuple(told[name]) for name in _TUPLES}, **lists})


def _tuples(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
