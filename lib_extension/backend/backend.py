"""What is a backend? Something that answers calls, knows what it has, and is never believed without a receipt."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lib_extension.backend.connection import Connect, Connection
from lib_extension.backend.dialects import dialect_of
from lib_extension.backend.eligible import why_not
from lib_extension.backend.errors import BackendError, Missing, Unreachable
from lib_extension.backend.flights import Flight, Flights
from lib_extension.backend.generation import Session, generate
from lib_extension.backend.hashes import Files, Hashes, hashes_of
from lib_extension.backend.leaks import Leaks
from lib_extension.backend.plain_calls import answer_model_call, detect_map, upscale_one
from lib_extension.backend.probing import probe_identity, read_inventory, refresh_lists, tells_tasks, with_hashes
from lib_extension.backend.progress import Progress
from lib_extension.backend.proofs import Proofs
from lib_extension.backend.signature import signs
from lib_extension.backend.smallest import Smallest
from lib_extension.backend.wire import NoRoute, Wire
from lib_extension.spec.calls import MODEL_CALLS, Call, ModelEmbedding, ModelMask, ModelTags
from lib_extension.spec.inventory import Identity, Inventory
from lib_extension.spec.sdapi import Detect, ExtraSingle
from lib_extension.stages.stage import Answer

_PING_SECONDS = 3


class _Here:
    """A backend while it is connected."""

    def __init__(self, connection: Connection, wire: Wire, identity: Identity, tells_tasks: bool) -> None:
        self.connection = connection
        self.wire = wire
        self.identity = identity
        self.dialect = dialect_of(identity)
        self.tells_tasks = tells_tasks
        self.inventory: Inventory | None = None
        self.known_hashes: Hashes = {}
        self._leaks: Leaks | None = None
        self.proofs = Proofs()

    def session(self, inventory: Inventory, flights: Flights) -> Session:
        """What a generation works with. Options are remembered as the first one found them."""
        if self._leaks is None:
            self._leaks = Leaks(self.wire, inventory.options)
        return Session(self.wire, self.dialect, inventory, self._leaks, self.proofs, flights)


def never() -> bool:
    """Nobody cancels."""
    return False


def unknown() -> str:
    """The fingerprint of what can only be asked."""
    return ""


class Backend:
    """One backend. It is reached, and an engine started, when it is first asked something. Methods may be called from any thread.

    Everything raises BackendError: Unreachable and Failed are worth another try, Missing another backend.
    """

    def __init__(self, spec: str, connect: Connect, fingerprint: Callable[[], str] = unknown) -> None:
        """`spec` is how the user names it: "engine:demo", "http://…", "webui"; never with a password.

        fingerprint: for what is the same as long as this is, and so need not be asked for it; '' where that is not known.
        """
        self.spec = spec
        self.fingerprint = fingerprint
        self._connect = connect
        self._lock = threading.Lock()
        self._asking = threading.RLock()
        self._here: _Here | None = None
        self._flights = Flights()

    def identity(self) -> Identity:
        """Who it is."""
        return self._reach().identity

    def inventory(self, fresh: bool = False) -> Inventory:
        """What it has. `fresh` has it look for new files first, and asks again; otherwise it is asked once."""
        here = self._reach()
        known = here.inventory
        if known is not None and not fresh:
            return known  # without waiting for who asks anew, which waits for the call that runs there
        with self._asking:
            if fresh:
                refresh_lists(here.wire, here.identity)
            here.inventory = with_hashes(read_inventory(here.wire, here.identity), here.known_hashes)
            return here.inventory

    def learn(self, files: Files) -> Inventory:
        """The inventory with the hashes of these files, which WebUIs compute on first use only: a smallest picture is made there.

        Of VAEs and upscalers only the engine tells them.

        Call it before planning: keys hold these hashes. An overwritten LoRA or embedding is loaded anew by it.
        """
        here = self._reach()
        with self._asking:
            inventory = self.inventory(fresh=True)
            smallest = Smallest(here.wire.post, here.wire.name, here.dialect, inventory)
            here.known_hashes |= hashes_of(here.wire, smallest, files)
            here.inventory = with_hashes(inventory, here.known_hashes)
            here.proofs.forgive()
            return here.inventory

    def can(self, call: Call) -> str:
        """Why this backend cannot take the call, naming what it lacks; '' where it can."""
        if isinstance(call, MODEL_CALLS):
            return "" if self.identity().host == "engine" else f"{self.spec} is a WebUI; only the embedded engine has such networks."
        missing = why_not(call, self.inventory())
        return f"{self.spec}: {missing}" if missing else ""

    def call(self, call: Call, task_id: str = "", cancelled: Callable[[], bool] = never) -> Answer:
        """Carry it out and check every receipt. Raises spec.errors.Interrupted soon after `cancelled` says so."""
        refused = self.can(call)
        if refused:
            raise Missing(refused)
        here = self._reach()
        try:
            if isinstance(call, (ModelMask, ModelTags, ModelEmbedding)):
                return answer_model_call(here.wire, call)
            if isinstance(call, Detect):
                return detect_map(here.wire, call, self.inventory())
            if isinstance(call, ExtraSingle):
                return upscale_one(here.wire, call)
            inventory = self.inventory()
            watched = not here.dialect.guards_itself and not signs(inventory)  # what is signed tells of interrupts itself
            flight = Flight(here.wire, task_id, cancelled, tells_tasks=here.tells_tasks, watched=watched)
            return generate(here.session(inventory, self._flights), call, flight)
        except Unreachable:
            self._drop(here)
            raise

    def progress(self, task_id: str, preview: bool = False) -> Progress | None:
        """How far a call of ours is; None for one that is not on its way (a WebUI calls failed tasks active for ever)."""
        return self._flights.progress(task_id, preview)

    def interrupt(self, task_id: str) -> bool:
        """Stop a call of ours within a step, and whatever else runs there is left alone. False where it was not running."""
        return self._flights.interrupt(task_id)

    def ping(self) -> str:
        """Why it does not answer now, '' where it does. An engine that is not at work yet is not started for that."""
        here = self._here
        if here is None and self.spec.startswith("engine:"):
            return ""
        try:
            (here or self._reach()).wire.get("/internal/ping", timeout=_PING_SECONDS)
        except NoRoute:
            return ""  # something is there; a WebUI behind a proxy may hide its pages' own routes
        except BackendError as error:
            return str(error)
        return ""

    def free_memory(self) -> int | None:
        """Bytes that are free on its GPU; None where it has none, does not say, or is an engine that is not at work."""
        here = self._at_work()
        told = here.wire.get("/sdapi/v1/memory", timeout=_PING_SECONDS) if here is not None else None
        cuda = told.get("cuda") if isinstance(told, dict) else None
        system = cuda.get("system") if isinstance(cuda, dict) else None
        free = system.get("free") if isinstance(system, dict) else None
        return int(free) if isinstance(free, (int, float)) else None

    def is_drawing(self) -> bool:
        """Whether a picture is on its way there, of ours or of anybody."""
        here = self._at_work()
        told = here.wire.get("/sdapi/v1/progress?skip_current_image=true", timeout=_PING_SECONDS) if here is not None else None
        state = told.get("state") if isinstance(told, dict) else None
        return bool(isinstance(state, dict) and (state.get("job_count") or 0) > 0)

    def unload(self) -> None:
        """Have its checkpoint leave the GPU."""
        if (here := self._at_work()) is not None:
            here.wire.post("/sdapi/v1/unload-checkpoint")

    def reload(self) -> None:
        """Have its checkpoint come back."""
        if (here := self._at_work()) is not None:
            here.wire.post("/sdapi/v1/reload-checkpoint")

    @property
    def is_at_work(self) -> bool:
        """Not for an engine that is started only when it is asked something."""
        return self._here is not None or not self.spec.startswith("engine:")

    def _at_work(self) -> _Here | None:
        return self._here if self.spec.startswith("engine:") else self._reach()

    def close(self) -> None:
        """Let go of it; an engine that was started for this process ends."""
        here = self._here
        if here is not None:
            self._drop(here)

    def _reach(self) -> _Here:
        known = self._here
        if known is not None:
            return known
        with self._lock:
            if self._here is None:
                connection = self._connect()
                wire = Wire(connection.url, connection.transport, connection.auth, name=connection.name)
                try:
                    identity = probe_identity(wire, connection.version)
                    self._here = _Here(connection, wire, identity, tells_tasks(wire))
                except BaseException:
                    wire.close()
                    connection.close()
                    raise
            return self._here

    def _drop(self, here: _Here) -> None:
        """Forget a connection that was lost or is not needed; what is known of files stays."""
        with self._lock:
            if self._here is here:
                self._here = None
                here.wire.close()
                here.connection.close()
