"""Who works on which key? A claim is a row with the name of a living process, so that no stage is run by two of them."""

from __future__ import annotations

import sqlite3
from typing import Any, Literal

from lib_extension.runs.database import Database
from lib_extension.runs.events import insert_event
from lib_extension.runs.owners import Owner

Taken = Literal["mine", "done", "elsewhere"]


class Claims:
    """The claims of all processes; those made here are held by `owner`."""

    def __init__(self, database: Database, owner: Owner) -> None:
        self._database = database
        self._owner = owner
        self._held: set[str] = set()  # what this process works on: the truth for its own, as a full disk may keep a row from going

    def take(self, key: str, run_id: str, event: dict[str, Any]) -> Taken:
        """Claim a key, and write the event that it is started. "done": its result is there meanwhile; "elsewhere": another is at it."""
        mine = self._owner.name
        with self._database.write() as connection:
            if connection.execute("SELECT 1 FROM results WHERE key = ?", (key,)).fetchone():
                return "done"
            held = connection.execute("SELECT owner FROM claims WHERE key = ?", (key,)).fetchone()
            if held and (key in self._held if held["owner"] == mine else self._owner.lives(held["owner"])):
                return "elsewhere"
            connection.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", (key, mine, run_id))
            insert_event(connection, run_id, "started", event)
            self._held.add(key)
        return "mine"

    def release(self, key: str) -> None:
        """Let go of a claim made here; the stage was not finished."""
        self._held.discard(key)
        with self._database.write() as connection:
            connection.execute("DELETE FROM claims WHERE key = ? AND owner = ?", (key, self._owner.name))

    def attend(self, run_id: str) -> None:
        """Say that this process carries out the run."""
        key = self._attendance(run_id)
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", (key, self._owner.name, run_id))
            self._held.add(key)

    def leave(self, run_id: str) -> None:
        """Carry it out no more."""
        self.release(self._attendance(run_id))

    def drop(self, connection: sqlite3.Connection, key: str) -> None:
        """Within the transaction that writes the stage's result: it is finished."""
        connection.execute("DELETE FROM claims WHERE key = ?", (key,))
        self._held.discard(key)

    def living(self) -> set[str]:
        """The keys that a living process works on."""
        with self._database.read() as connection:
            held = [(key, owner) for key, owner in connection.execute("SELECT key, owner FROM claims")]
        alive = {owner for owner in {owner for _, owner in held} if self._owner.lives(owner)}
        return {key for key, owner in held if owner in alive and (owner != self._owner.name or key in self._held)}

    def any_living(self, run_id: str) -> bool:
        """Whether a living process carries out the run."""
        with self._database.read() as connection:
            return self.is_attended(connection, run_id)

    def is_attended(self, connection: sqlite3.Connection, run_id: str) -> bool:
        """As any_living, within a transaction."""
        held = connection.execute("SELECT key, owner FROM claims WHERE run = ?", (run_id,)).fetchall()
        return any(row["key"] in self._held if self._owner.is_me(row["owner"]) else self._owner.lives(row["owner"]) for row in held)

    def _attendance(self, run_id: str) -> str:
        """The key that stands for carrying out a run: two processes may share one."""
        return f"run {run_id} {self._owner.name}"
