"""What do keys need to know of the backends? The identity of every file that a recipe names, and the class that pictures depend on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from lib_extension.backend.backend import Backend
from lib_extension.backend.errors import BackendError
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
_KINDS = ("checkpoint", "lora", "vae", "controlnet", "upscaler", "embedding", "style", "network")


File = TypeVar("File", Checkpoint, Lora, Embedding)


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a backend is and has."""

    identity: Identity
    inventory: Inventory
    fingerprint: str = ""  # of the backend when it was asked; '' where only asking tells whether it is the same


Planner = Callable[[Facts], Plan]


class Surroundings:
    """Some backends as a plan sees them."""

    def __init__(self, ledger: Ledger, backends: tuple[Backend, ...]) -> None:
        self._ledger = ledger
        self._backends = backends
        self._seen: dict[str, Seen] = {}
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
        return plan if self._told() == before else self.plan_again(make, facts)

    def plan_again(self, make: Planner, facts: Facts) -> Plan:
        """A plan by what was learnt the last time."""
        self._asked, self._prompts = set(), set()
        return make(dataclasses.replace(facts, identities=self._identity, embeddings=self._embeddings, backend=self._class()))

    def as_last_seen(self, make: Planner, facts: Facts) -> Plan:
        """A plan without waking any backend that was seen before."""
        self._seen = {backend.spec: last_seen(self._ledger, backend.spec) or self._look(backend) for backend in self._backends}
        return self.plan_again(make, facts)

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
        found = {seen.inventory.identity(kind, name) for seen in self._seen.values()}
        return " | ".join(sorted(filter(None, found)))

    def _look(self, backend: Backend) -> Seen:
        fingerprint = backend.fingerprint()  # before it is asked: what changes meanwhile is a change
        seen = Seen(backend.identity(), backend.inventory(), fingerprint)
        self._ledger.backends.saw(backend.spec, dataclasses.asdict(seen))
        return seen

    def _learn(self, backend: Backend) -> None:
        """Ask for what it has now, and for the hashes of the files that the plan names."""
        before, fingerprint = self._seen[backend.spec], backend.fingerprint()
        names = {kind: [name for asked, name in sorted(self._asked) if asked == kind] for kind in ("checkpoint", "lora", "embedding")}
        try:
            inventory = backend.learn(names["checkpoint"], names["lora"], names["embedding"])
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
    )


def _with_hashes(files: Sequence[File], before: Sequence[File]) -> tuple[File, ...]:
    known = {file.name: file.hash for file in before if file.hash}
    return tuple(dataclasses.replace(file, hash=known[file.name]) if not file.hash and file.name in known else file for file in files)


def _inventory(told: Mapping[str, Any]) -> Inventory:
    lists = {name: tuple(cls(**_tuples(one)) for one in told[name]) for name, cls in _LISTS.items()}
    return Inventory(**{**told, **{name: tuple(told[name]) for name in _TUPLES}, **lists})


def _tuples(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
