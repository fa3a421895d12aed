"""How is the ledger's SQLite file opened? WAL, a connection a thread at work, short transactions; a damaged file is set aside.

`synchronous = NORMAL`: a commit survives the process' death always, a power cut nearly always; after one, the last stages may run again.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lib_extension.runs.storage import Damaged, StorageError, disk_errors

_WHAT = "The ledger"
_PATIENCE = 30  # seconds that a transaction waits for another process
_FORM = 1  # of the tables

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, name TEXT, recipe TEXT, inputs TEXT, pictures TEXT, backends TEXT, folder TEXT, confirmed INTEGER,
    state TEXT, message TEXT, created REAL, updated REAL, pinned INTEGER DEFAULT 0, wish TEXT DEFAULT '');
CREATE TABLE IF NOT EXISTS results (
    key TEXT PRIMARY KEY, type TEXT, reason TEXT, parts TEXT, backend TEXT, seconds REAL, cost REAL, unusual INTEGER, made REAL);
CREATE INDEX IF NOT EXISTS unusual_results ON results (key) WHERE unusual;
CREATE TABLE IF NOT EXISTS pictures (
    key TEXT, number INTEGER, blob TEXT, size INTEGER, infotext TEXT, seed INTEGER, facts TEXT, PRIMARY KEY (key, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pictures_by_blob ON pictures (blob);
CREATE TABLE IF NOT EXISTS files (key TEXT, path TEXT, blob TEXT, size INTEGER, PRIMARY KEY (key, path)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS nodes (
    run TEXT, position INTEGER, key TEXT, stage TEXT, place TEXT, state TEXT, message TEXT, PRIMARY KEY (run, position)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS nodes_by_key ON nodes (key);
CREATE TABLE IF NOT EXISTS claims (key TEXT PRIMARY KEY, owner TEXT, run TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS choices (run TEXT, key TEXT, chosen TEXT, at REAL, PRIMARY KEY (run, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT, at REAL, kind TEXT, data TEXT);
CREATE INDEX IF NOT EXISTS events_by_run ON events (run, id);
CREATE TABLE IF NOT EXISTS timings (
    backend TEXT, type TEXT, count REAL, cost REAL, seconds REAL, PRIMARY KEY (backend, type)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pins (blob TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS backends (spec TEXT PRIMARY KEY, told TEXT, seen REAL) WITHOUT ROWID;
"""


class Database:
    """One SQLite file. `notice` says what was wrong with it when it was opened, '' when nothing was."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notice = ""
        self._free: list[sqlite3.Connection] = []  # list.pop and append are atomic: no lock is needed, and none is held at work
        with disk_errors(_WHAT):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._prepare()
        except Damaged:
            self.notice = self._set_aside()
            self._prepare()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A transaction in which all that is read is of one moment, whatever is written meanwhile."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that has the only right to write from its start: what it reads is still so when it writes."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def tidy(self) -> None:
        """Give what was deleted back to the disk."""
        with self._connection() as connection:
            connection.execute("VACUUM")

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute(begin)
            try:
                yield connection
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection that no other thread has meanwhile."""
        with disk_errors(_WHAT):
            try:
                connection = self._free.pop()
            except IndexError:
                connection = _connect(self.path)
            try:
                yield connection
            finally:
                self._free.append(connection)

    def close(self) -> None:
        """Close every connection that is not at work."""
        while self._free:
            self._free.pop().close()

    def _prepare(self) -> None:
        try:
            with self.write() as connection:
                form = connection.execute("PRAGMA user_version").fetchone()[0]
                if form > _FORM:
                    raise StorageError(f"The ledger was written by a newer version (its form is {form}, this one knows {_FORM}). Update.")
                if form < _FORM:
                    for statement in _TABLES.split(";"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {_FORM}")
            with self._connection() as connection:
                said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if said != "ok":
                raise Damaged(f"The ledger is damaged: {said}")
        except BaseException:
            self.close()
            raise

    def _set_aside(self) -> str:
        kept = self.path.with_name(f"{self.path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        with disk_errors(_WHAT):
            self.path.replace(kept)
            for ending in ("-wal", "-shm"):
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
        return f"The ledger was damaged; it was set aside as {kept.name} and made anew from its journal."


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        connection.row_factory = sqlite3.Row
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise StorageError("The ledger lies where SQLite's WAL cannot work, such as a network share. Choose a folder on a local disk.")
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection
