"""What happens in a run, as it happens? Events stand in the ledger, so that any process can follow any run, from any point on."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from lib_extension.runs.database import Database
from lib_extension.runs.records import ENDED, Event

# kind → what its data tells
KINDS = {
    "state": "state, message: the run is running, paused, waiting, done, failed or cancelled",
    "planned": "stages, done: how many stage instances there are, and how many of them need not run",
    "started": "key, stage, place, backend",
    "finished": "key, stage, place, backend, seconds, pictures (hashes), reason",
    "failed": "key, stage, place, message, left_out: how many that depend on it do not run",
    "retry": "key, stage, place, backend, message, seconds: it is tried again after these, elsewhere where that is possible",
    "review": "key, stage, place, pictures: a choice is waited for",
    "chosen": "key, chosen (indices)",
    "notice": "message: something that the user should know, such as a ledger made anew",
}
_LOOK = 0.1  # seconds between two looks for what other processes wrote


class Events:
    """The events of all runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._news = threading.Condition()

    def add(self, run_id: str, kind: str, **data: Any) -> None:
        """Write down an event, and wake those in this process who follow."""
        with self._database.write() as connection:
            insert_event(connection, run_id, kind, data)
        self.wake()

    def wake(self) -> None:
        """Let those in this process who follow look now."""
        with self._news:
            self._news.notify_all()

    def after(self, run_id: str, last: int = 0, limit: int = 1000) -> list[Event]:
        """The run's events whose id is above `last`, oldest first."""
        with self._database.read() as connection:
            question = "SELECT * FROM events WHERE run = ? AND id > ? ORDER BY id LIMIT ?"
            rows = connection.execute(question, (run_id, last, limit)).fetchall()
        return [Event(id=row["id"], run=row["run"], at=row["at"], kind=row["kind"], data=json.loads(row["data"])) for row in rows]

    def last_id(self, run_id: str) -> int:
        """Of the run's latest event; 0 where it has none."""
        with self._database.read() as connection:
            return connection.execute("SELECT coalesce(max(id), 0) FROM events WHERE run = ?", (run_id,)).fetchone()[0]

    def follow(self, run_id: str, last: int = 0, stop: Callable[[], bool] = lambda: False) -> Iterator[Event | None]:
        """Events as they come, from `last` on; None about once a second while nothing comes. Ends after the run has ended, or by `stop`."""
        quiet_since = time.monotonic()
        while not stop():
            found = self.after(run_id, last)
            for event in found:
                last = event.id
                yield event
            if found:
                quiet_since = time.monotonic()
                if found[-1].kind == "state" and found[-1].data["state"] in ENDED:
                    return
                continue
            if time.monotonic() - quiet_since >= 1:
                quiet_since = time.monotonic()
                yield None
            with self._news:
                self._news.wait(_LOOK)


def insert_event(connection: sqlite3.Connection, run_id: str, kind: str, data: dict[str, Any]) -> None:
    """Write an event inside a transaction."""
    assert kind in KINDS
    connection.execute(
        "INSERT INTO events (run, at, kind, data) VALUES (?, ?, ?, ?)", (run_id, time.time(), kind, json.dumps(data, ensure_ascii=False))
    )
