"""What is true about all runs? One SQLite file that says what was asked, made, chosen and claimed; it is the truth, whoever was killed.

ledger = Ledger(folder / "ledger.db")
ledger.runs, ledger.results, ledger.claims, ledger.events, ledger.timings, ledger.backends
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extension.runs.claims import Claims
from lib_extension.runs.database import Database
from lib_extension.runs.estimate import Timings, learn
from lib_extension.runs.events import Events, insert_event
from lib_extension.runs.journal import Journal
from lib_extension.runs.owners import Owner
from lib_extension.runs.records import NodeRecord, Result
from lib_extension.runs.result_table import Results, insert_result, result_from_json, result_to_json
from lib_extension.runs.run_table import Runs
from lib_extension.runs.small_tables import Backends, Pins

_KILLED = "The program that carried it out was ended. What was finished is kept; resume it."
_EARLIER = 3  # runs that are looked at for what has changed


@dataclass(frozen=True)
class Finished:
    """A stage instance that is done: in which run, with which result, and what its event tells."""

    run: str
    result: Result
    event: Mapping[str, Any]


class Ledger:
    """Safe for many threads and processes at once. `notice` says what was wrong with the file, '' when nothing was."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path)
        self.notice = self.database.notice
        self._journal = Journal(path.with_name(path.name + ".journal"))
        self._owner = Owner(path.with_name(path.name + ".owners"))
        self.runs = Runs(self.database, self._journal)
        self.results = Results(self.database)
        self.claims = Claims(self.database, self._owner)
        self.events = Events(self.database)
        self.timings = Timings(self.database)
        self.backends = Backends(self.database)
        self.pins = Pins(self.database, self._journal)
        if self.notice:
            self._restore()

    def finish(self, finished: Sequence[Finished]) -> None:
        """Stage instances are done: results, events, what their times teach, and the end of their claims, all or nothing."""
        with self.database.write() as connection:
            for one in finished:
                insert_result(connection, one.result)
                self.claims.drop(connection, one.result.key)
                learn(connection, one.result)
                insert_event(connection, one.run, "finished", dict(one.event))
            self._journal.append([("result", result_to_json(one.result)) for one in finished])
        self.events.wake()

    def nodes(self, run_id: str) -> list[NodeRecord]:
        """The run's plan in order, each stage instance with what became of it."""
        self.runs.get(run_id)
        return self.runs.nodes(run_id, self.claims.living())

    def settle(self) -> None:
        """Runs whose process was killed are at work no more: say so, for whoever asks and for those who follow."""
        with self.database.read() as connection:
            if not connection.execute("SELECT 1 FROM runs WHERE state = 'running' LIMIT 1").fetchone():
                return
        with self.database.write() as connection:
            running = [run_id for (run_id,) in connection.execute("SELECT id FROM runs WHERE state = 'running'")]
            for run_id in [run_id for run_id in running if not self.claims.is_attended(connection, run_id)]:
                connection.execute("UPDATE runs SET state = 'failed', message = ? WHERE id = ?", (_KILLED, run_id))
                insert_event(connection, run_id, "state", {"state": "failed", "message": _KILLED})
        self.events.wake()

    def earlier_parts(self, name: str, places: Collection[str], but: str = "") -> dict[str, Mapping[str, Any]]:
        """What entered the keys of the stages that stood at these places in the latest runs of the recipe `name`, without the run `but`.

        By place; what plan.explain compares with.
        """
        found: dict[str, Mapping[str, Any]] = {}
        for run in [run for run in self.runs.all(name, limit=_EARLIER + 1) if run.id != but][:_EARLIER]:
            keys = {node.place: node.key for node in self.runs.nodes(run.id) if node.place in places and node.place not in found}
            parts = self.results.parts(keys.values())
            found |= {place: parts[key] for place, key in keys.items() if key in parts}
        return found

    def compact(self) -> None:
        """Write the journal anew from what is there now, and give what was deleted back to the disk."""
        with self.database.write() as connection:  # so that nobody appends meanwhile
            for table in ("nodes", "choices", "events", "claims"):  # of runs that were deleted while they ran
                connection.execute(f"DELETE FROM {table} WHERE run NOT IN (SELECT id FROM runs)")
            self._journal.replace(self._told())
        self.database.tidy()

    def close(self) -> None:
        """Let go of claims and connections."""
        self._owner.close()
        self.database.close()

    def _told(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for run in reversed(self.runs.all(limit=-1)):
            told = {"id": run.id, "recipe": run.recipe, "inputs": run.values, "pictures": run.pictures}
            yield "run", told | {"backends": run.backends, "folder": run.folder, "confirmed": run.confirmed, "created": run.created}
            if run.pinned:
                yield "run pin", {"run": run.id, "pinned": True}
        for choice in self.runs.every_choice():
            yield "choice", choice
        for blob in self.pins.all():
            yield "pin", {"blob": blob, "pinned": True}
        for result in self.results.all():
            yield "result", result_to_json(result)

    def _restore(self) -> None:
        for kind, told in self._journal.lines():
            if kind == "run":
                self.runs.restore(told)
            elif kind == "run pin":
                self.runs.restore_pin(told["run"], told["pinned"])
            elif kind == "removed":
                self.runs.restore_removal(told["run"])
            elif kind == "choice":
                self.runs.restore_choice(told)
            elif kind == "pin":
                self.pins.restore(told["blob"], told["pinned"])
            elif kind == "result":
                with self.database.write() as connection:
                    insert_result(connection, result_from_json(told))
        for run in self.runs.all(limit=-1):
            self.runs.set_state(run.id, "paused", "Made anew from the journal; resume it to see what of it is done.")
