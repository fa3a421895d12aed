"""What else does the ledger keep? What backends were when last seen, and single pictures that garbage collection spares."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from lib_extension.runs.database import Database
from lib_extension.runs.journal import Journal


class Backends:
    """What each backend told of itself when it was last seen, so that a plan can be shown without waking one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def saw(self, spec: str, told: Mapping[str, Any]) -> None:
        """Write down what a backend told, as JSON."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO backends VALUES (?, ?, ?)", (spec, json.dumps(told, ensure_ascii=False), time.time())
            )

    def last_seen(self, spec: str) -> dict[str, Any] | None:
        """What the backend told last."""
        with self._database.read() as connection:
            row = connection.execute("SELECT told FROM backends WHERE spec = ?", (spec,)).fetchone()
        return json.loads(row["told"]) if row else None


class Pins:
    """Pictures, by hash, that are kept whether a run needs them or not."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal

    def set(self, blob: str, pinned: bool = True) -> None:
        """Keep a picture, or no longer."""
        self.restore(blob, pinned)
        self._journal.append([("pin", {"blob": blob, "pinned": pinned})])

    def restore(self, blob: str, pinned: bool) -> None:
        """Write a pin as the journal tells it."""
        with self._database.write() as connection:
            change = "INSERT OR IGNORE INTO pins VALUES (?)" if pinned else "DELETE FROM pins WHERE blob = ?"
            connection.execute(change, (blob,))

    def all(self) -> set[str]:
        """Every picture that is kept."""
        with self._database.read() as connection:
            return {blob for (blob,) in connection.execute("SELECT blob FROM pins")}
