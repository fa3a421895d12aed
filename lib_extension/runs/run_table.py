"""Which runs are there, what were they asked, and how far are they? The ledger's table of runs, with their plans and choices."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from lib_extension.runs.database import Database
from lib_extension.runs.journal import Journal
from lib_extension.runs.records import NewRun, NodeRecord, NodeState, Run, State
from lib_extension.spec.errors import NotFound, near_miss

Wish = Literal["", "pause", "cancel"]
_MARKED = 400  # nodes in one change
_ESCAPED = re.compile(r"[%_!]")  # what LIKE takes for more than itself


class Runs:
    """Runs by id. What a person decided is written into the journal too."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal

    def add(self, new: NewRun) -> str:
        """Write down a run; its id, which sorts by time."""
        run_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
        asked = {"recipe": dict(new.recipe), "inputs": dict(new.values), "pictures": dict(new.pictures)}
        about = {
            "id": run_id,
            **asked,
            "backends": list(new.backends),
            "folder": new.folder,
            "confirmed": new.confirmed,
            "created": time.time(),
        }
        self.restore(about)
        self._journal.append([("run", about)])
        return run_id

    def restore(self, about: Mapping[str, Any]) -> None:
        """Write a run as the journal tells it; it can be resumed."""
        texts = [_json(about[name]) for name in ("recipe", "inputs", "pictures", "backends")]
        name = str(about["recipe"].get("name", ""))
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'new', '', ?, ?, 0, '')",
                (about["id"], name, *texts, about["folder"], int(about["confirmed"]), about["created"], about["created"]),
            )

    def get(self, run_id: str) -> Run:
        """The run. NotFound names the nearest id."""
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
            if row is None:
                known = [known for (known,) in connection.execute("SELECT id FROM runs")]
                raise NotFound(f'There is no run "{run_id}".{near_miss(run_id, known)}')
        return _run(row)

    def all(self, name: str = "", limit: int = 1000) -> list[Run]:
        """Runs, the newest first; with a name, those of that recipe."""
        question = "SELECT * FROM runs WHERE ? IN ('', name) ORDER BY created DESC, id DESC LIMIT ?"
        with self._database.read() as connection:
            return [_run(row) for row in connection.execute(question, (name, limit))]

    def search(self, text: str, name: str, states: Collection[State], before: str, limit: int) -> list[Run]:
        """Runs, the newest first: with `text` in id, recipe or inputs; of the recipe `name`; in one of these states; older than a run."""
        pattern = f"%{_ESCAPED.sub(_escape, text)}%"
        wanted = "(id LIKE ? ESCAPE '!' OR recipe LIKE ? ESCAPE '!' OR inputs LIKE ? ESCAPE '!') AND ? IN ('', name)"
        values: list[Any] = [pattern, pattern, pattern, name]
        if states:
            wanted += f" AND state IN ({','.join('?' * len(states))})"
            values += states
        if before:
            wanted += " AND (created, id) < (SELECT created, id FROM runs WHERE id = ?)"
            values.append(before)
        question = f"SELECT * FROM runs WHERE {wanted} ORDER BY created DESC, id DESC LIMIT ?"
        with self._database.read() as connection:
            return [_run(row) for row in connection.execute(question, (*values, limit))]

    def with_key(self, key: str) -> list[str]:
        """The ids of the runs that have this stage instance, the newest first."""
        question = "SELECT DISTINCT run, created FROM nodes JOIN runs ON runs.id = nodes.run WHERE key = ? ORDER BY created DESC"
        with self._database.read() as connection:
            return [run for run, _ in connection.execute(question, (key,))]

    def set_state(self, run_id: str, state: State, message: str = "") -> None:
        """Say where the run is now."""
        with self._database.write() as connection:
            connection.execute("UPDATE runs SET state = ?, message = ?, updated = ? WHERE id = ?", (state, message, time.time(), run_id))

    def wish(self, run_id: str, wish: Wish) -> None:
        """Ask whichever process carries out the run to stop; '' takes that back."""
        with self._database.write() as connection:
            connection.execute("UPDATE runs SET wish = ? WHERE id = ?", (wish, run_id))

    def wished(self, run_id: str) -> Wish:
        """What was asked of the run."""
        with self._database.read() as connection:
            row = connection.execute("SELECT wish FROM runs WHERE id = ?", (run_id,)).fetchone()
        return row["wish"] if row else "cancel"  # a run that was deleted while it ran has nobody to work for

    def pin(self, run_id: str, pinned: bool = True) -> None:
        """Keep the run and all it made from garbage collection, or no longer."""
        self.get(run_id)
        self.restore_pin(run_id, pinned)
        self._journal.append([("run pin", {"run": run_id, "pinned": pinned})])

    def restore_pin(self, run_id: str, pinned: bool) -> None:
        """Write a run's pin as the journal tells it."""
        with self._database.write() as connection:
            connection.execute("UPDATE runs SET pinned = ? WHERE id = ?", (int(pinned), run_id))

    def remove(self, run_id: str) -> None:
        """Forget the run. What it made stays for others until garbage is collected."""
        self.get(run_id)
        self.restore_removal(run_id)
        self._journal.append([("removed", {"run": run_id})])

    def restore_removal(self, run_id: str) -> None:
        """Delete a run as the journal tells it."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
            for table in ("nodes", "choices", "events", "claims"):
                connection.execute(f"DELETE FROM {table} WHERE run = ?", (run_id,))

    def choose(self, run_id: str, key: str, chosen: Sequence[int]) -> None:
        """Write down which pictures of a review's result go on, by index."""
        self.get(run_id)
        told = {"run": run_id, "key": key, "chosen": list(chosen), "at": time.time()}
        self.restore_choice(told)
        self._journal.append([("choice", told)])

    def restore_choice(self, told: Mapping[str, Any]) -> None:
        """Write a choice as the journal tells it."""
        with self._database.write() as connection:
            values = (told["run"], told["key"], json.dumps(told["chosen"]), told["at"])
            connection.execute("INSERT OR REPLACE INTO choices VALUES (?, ?, ?, ?)", values)

    def choices(self, run_id: str) -> dict[str, tuple[int, ...]]:
        """What was chosen at each review's key: in this run, and else in the latest run that had it."""
        question = "SELECT key, chosen FROM choices ORDER BY run = ?, at"  # the later in this order wins
        with self._database.read() as connection:
            return {key: tuple(json.loads(chosen)) for key, chosen in connection.execute(question, (run_id,))}

    def every_choice(self) -> list[dict[str, Any]]:
        """All choices of all runs, oldest first, as the journal tells them."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT run, key, chosen, at FROM choices ORDER BY at").fetchall()
        return [{"run": row["run"], "key": row["key"], "chosen": json.loads(row["chosen"]), "at": row["at"]} for row in rows]

    def set_nodes(self, run_id: str, nodes: Iterable[NodeRecord]) -> None:
        """Write the run's plan in place of the one before."""
        rows = [(run_id, i, node.key, node.stage, node.place, node.state, node.message) for i, node in enumerate(nodes)]
        with self._database.write() as connection:
            connection.execute("DELETE FROM nodes WHERE run = ?", (run_id,))
            connection.executemany("INSERT INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def mark(self, run_id: str, keys: Sequence[str], state: NodeState, message: str = "") -> None:
        """Say what became of some nodes."""
        with self._database.write() as connection:
            for i in range(0, len(keys), _MARKED):
                some = keys[i : i + _MARKED]
                marks = ",".join("?" * len(some))
                connection.execute(
                    f"UPDATE nodes SET state = ?, message = ? WHERE run = ? AND key IN ({marks})", (state, message, run_id, *some)
                )

    def nodes(self, run_id: str, claimed: Collection[str] = ()) -> list[NodeRecord]:
        """The run's plan in order, each with what became of it and the pictures that it has; the keys in `claimed` are at work."""
        with self._database.read() as connection:
            planned = connection.execute(
                "SELECT nodes.*, results.key IS NOT NULL AS done FROM nodes LEFT JOIN results ON results.key = nodes.key"
                " WHERE nodes.run = ? ORDER BY position",
                (run_id,),
            ).fetchall()
            question = "SELECT n.key, blob FROM nodes n JOIN pictures p ON p.key = n.key WHERE n.run = ? ORDER BY position, number"
            pictures: dict[str, list[str]] = {}
            for key, blob in connection.execute(question, (run_id,)):
                pictures.setdefault(key, []).append(blob)
        return [_node(row, row["key"] in claimed, pictures.get(row["key"], [])) for row in planned]


def _node(row: Any, claimed: bool, pictures: list[str]) -> NodeRecord:
    state: NodeState = "done" if row["done"] else "running" if claimed else row["state"]
    message = "" if state in ("done", "running") else row["message"]
    return NodeRecord(key=row["key"], stage=row["stage"], place=row["place"], state=state, message=message, pictures=tuple(pictures))


def _run(row: Any) -> Run:
    return Run(
        id=row["id"],
        recipe=json.loads(row["recipe"]),
        values=json.loads(row["inputs"]),
        pictures=json.loads(row["pictures"]),
        backends=tuple(json.loads(row["backends"])),
        folder=row["folder"],
        confirmed=bool(row["confirmed"]),
        state=row["state"],
        message=row["message"],
        created=row["created"],
        updated=row["updated"],
        pinned=bool(row["pinned"]),
    )


def _escape(found: re.Match[str]) -> str:
    return f"!{found[0]}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
