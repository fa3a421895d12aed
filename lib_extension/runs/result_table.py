"""What has been made, under which key? The ledger's table of results, with their pictures and files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from lib_extension.runs.database import Database
from lib_extension.runs.records import Result, StoredFile, StoredPicture

_AT_ONCE = 500  # keys in one question: SQLite takes 999 values in its oldest builds


class Results:
    """Results by key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def blobs(self, keys: Iterable[str]) -> dict[str, dict[str, int]]:
        """For each of the keys that has a result: its blobs and their sizes. Quick for tens of thousands."""
        found: dict[str, dict[str, int]] = {}
        with self._database.read() as connection:
            for some in _portions(keys):
                marks = ",".join("?" * len(some))
                for (key,) in connection.execute(f"SELECT key FROM results WHERE key IN ({marks})", some):
                    found[key] = {}
                for table in ("pictures", "files"):
                    for key, blob, size in connection.execute(f"SELECT key, blob, size FROM {table} WHERE key IN ({marks})", some):
                        found[key][blob] = size
        return found

    def get(self, key: str) -> Result | None:
        """All that is known of a key's result."""
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM results WHERE key = ?", (key,)).fetchone()
            if row is None:
                return None
            pictures = connection.execute("SELECT * FROM pictures WHERE key = ? ORDER BY number", (key,)).fetchall()
            files = connection.execute("SELECT * FROM files WHERE key = ?", (key,)).fetchall()
        return _result(row, pictures, files)

    def unusual_counts(self) -> dict[str, int]:
        """The keys whose result has another number of pictures than was planned, and that number."""
        question = "SELECT key, (SELECT count(*) FROM pictures WHERE pictures.key = results.key) FROM results WHERE unusual"
        with self._database.read() as connection:
            return dict(tuple(row) for row in connection.execute(question))

    def parts(self, keys: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """What entered each of these keys."""
        found: dict[str, Mapping[str, Any]] = {}
        with self._database.read() as connection:
            for some in _portions(keys):
                question = f"SELECT key, parts FROM results WHERE key IN ({','.join('?' * len(some))})"
                found |= {key: json.loads(parts) for key, parts in connection.execute(question, some)}
        return found

    def with_blob(self, blob: str) -> list[tuple[str, int]]:
        """Key and index of every picture with this hash, the latest result first."""
        question = (
            "SELECT pictures.key, number FROM pictures JOIN results ON results.key = pictures.key WHERE blob = ? ORDER BY made DESC, number"
        )
        with self._database.read() as connection:
            return [(key, number) for key, number in connection.execute(question, (blob,))]

    def beginning_with(self, start: str) -> list[str]:
        """The keys that begin so (hex digits), the latest made first."""
        question = "SELECT key FROM results WHERE key >= ? AND key < ? ORDER BY made DESC"
        with self._database.read() as connection:
            return [key for (key,) in connection.execute(question, (start, f"{start}g"))]

    def all(self) -> Iterator[Result]:
        """Every result, read one by one."""
        with self._database.read() as connection:
            keys = [key for (key,) in connection.execute("SELECT key FROM results ORDER BY made, key")]
        for key in keys:
            if (found := self.get(key)) is not None:
                yield found

    def keys_of_runs(self, runs: Iterable[str]) -> dict[str, set[str]]:
        """Every key that each of these runs planned."""
        with self._database.read() as connection:
            return {run: {key for (key,) in connection.execute("SELECT key FROM nodes WHERE run = ?", (run,))} for run in runs}

    def unneeded(self, needed: Collection[str], pinned: Collection[str], before: float) -> set[str]:
        """The keys of results made before then (seconds since 1970) that are not needed and hold no pinned picture."""
        with self._database.read() as connection:
            old = {key for (key,) in connection.execute("SELECT key FROM results WHERE made < ?", (before,)) if key not in needed}
            return old - {key for key, blob in connection.execute("SELECT key, blob FROM pictures") if blob in pinned}

    def blobs_but_of(self, keys: Collection[str]) -> set[str]:
        """Every blob of all results but these."""
        with self._database.read() as connection:
            return {
                blob
                for table in ("pictures", "files")
                for key, blob in connection.execute(f"SELECT key, blob FROM {table}")
                if key not in keys
            }

    def forget(self, keys: Iterable[str]) -> None:
        """Take results out, as if they had never been made."""
        with self._database.write() as connection:
            for key in keys:
                _remove(connection, key)


def insert_result(connection: sqlite3.Connection, result: Result) -> None:
    """Write a result in place of an earlier one."""
    _remove(connection, result.key)
    about = (result.key, result.type, result.reason, _json(result.parts), result.backend)
    connection.execute(
        "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*about, result.seconds, result.cost, int(result.unusual), result.made)
    )
    connection.executemany(
        "INSERT INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(result.key, i, p.blob, p.size, p.infotext, p.seed, _json(p.facts)) for i, p in enumerate(result.pictures)],
    )
    connection.executemany(
        "INSERT INTO files VALUES (?, ?, ?, ?)", [(result.key, path, f.blob, f.size) for path, f in result.files.items()]
    )


def result_to_json(result: Result) -> dict[str, Any]:
    """For the journal: all but the parts, which only explain, and can be computed again."""
    told = {name: getattr(result, name) for name in ("key", "type", "reason", "backend", "seconds", "cost", "unusual", "made")}
    told["pictures"] = [[p.blob, p.size, p.infotext, p.seed, dict(p.facts)] for p in result.pictures]
    return told | {"files": {path: [file.blob, file.size] for path, file in result.files.items()}}


def result_from_json(told: Mapping[str, Any]) -> Result:
    """What result_to_json told."""
    pictures = tuple(StoredPicture(blob=b, size=n, infotext=i, seed=s, facts=f) for b, n, i, s, f in told["pictures"])
    files = {path: StoredFile(blob=blob, size=size) for path, (blob, size) in told["files"].items()}
    return Result(**{**told, "pictures": pictures, "files": files})


def _result(row: sqlite3.Row, pictures: list[sqlite3.Row], files: list[sqlite3.Row]) -> Result:
    return Result(
        key=row["key"],
        type=row["type"],
        pictures=tuple(
            StoredPicture(blob=p["blob"], size=p["size"], infotext=p["infotext"], seed=p["seed"], facts=json.loads(p["facts"]))
            for p in pictures
        ),
        reason=row["reason"],
        files={f["path"]: StoredFile(blob=f["blob"], size=f["size"]) for f in files},
        parts=json.loads(row["parts"]),
        backend=row["backend"],
        seconds=row["seconds"],
        cost=row["cost"],
        unusual=bool(row["unusual"]),
        made=row["made"],
    )


def _remove(connection: sqlite3.Connection, key: str) -> None:
    for table in ("results", "pictures", "files"):
        connection.execute(f"DELETE FROM {table} WHERE key = ?", (key,))


def _portions(keys: Iterable[str]) -> Iterator[list[str]]:
    listed = list(keys)
    return (listed[i : i + _AT_ONCE] for i in range(0, len(listed), _AT_ONCE))


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), ensure_ascii=False, separators=(",", ":"))
