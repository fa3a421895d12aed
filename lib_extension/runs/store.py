"""Where do a stage's pictures go, and where does the next stage get them? At hand at once, on the disk soon after, by a thread of its own.

What needs a picture may begin while it is still being written: results are written in the order in which they were made, so that
whoever is killed in between leaves no result whose sources are not there. Nothing counts as done before it is written.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from lib_extension.plan import Node, Source
from lib_extension.runs.blobs import Blobs, LostBlob
from lib_extension.runs.ledger import Finished, Ledger
from lib_extension.runs.records import Result, StoredFile, StoredPicture
from lib_extension.runs.storage import StorageError
from lib_extension.spec.errors import AtelierError
from lib_extension.stages.stage import Outcome, Picture

_log = logging.getLogger(__name__)
_AT_HAND = 256 * 2**20  # bytes of PNG files kept in memory
_UNWRITTEN = 16  # results; then whoever makes more waits for the disk
_BATCH = 16


@dataclass(frozen=True)
class Made:
    """What a stage instance gave, before it is written."""

    run: str
    node: Node
    outcome: Outcome
    backend: str  # as the user named it; '' for what is made here
    backend_class: str
    seconds: float
    cost: float  # megapixels × steps
    unusual: bool  # gave another number of pictures than planned


@dataclass(frozen=True)
class _Task:
    made: Made
    then: Callable[[AtelierError | None], None]


class Store:
    """Results of one ledger and its blobs. Safe for many threads."""

    def __init__(self, ledger: Ledger, blobs: Blobs) -> None:
        self._ledger = ledger
        self._blobs = blobs
        self._guard = threading.Lock()  # of what is at hand; never held while anything is read, hashed or written
        self._at_hand: OrderedDict[Source, Picture] = OrderedDict()
        self._bytes = 0
        self._unwritten: dict[str, tuple[Picture, ...]] = {}
        self._tasks: queue.Queue[_Task | None] = queue.Queue(_UNWRITTEN)
        self._writer = threading.Thread(target=self._write_all, name="atelier writer", daemon=True)
        self._writer.start()

    def keep(self, made: Made, then: Callable[[AtelierError | None], None]) -> None:
        """Have it written; `then` is called, by the writer, when it is done or has failed. Waits while much is unwritten."""
        with self._guard:
            self._unwritten[made.node.key] = made.outcome.pictures
        self._tasks.put(_Task(made, then))

    def picture(self, source: Source) -> Picture:
        """The picture. LostBlob where it must be made again."""
        with self._guard:
            unwritten = self._unwritten.get(source.key)
            if unwritten is not None:
                return unwritten[source.index]
            if source in self._at_hand:
                self._at_hand.move_to_end(source)
                return self._at_hand[source]
        picture = self._read(source)
        self._remember(source, picture)
        return picture

    def close(self) -> None:
        """Write what is not written yet, and end."""
        self._tasks.put(None)
        self._writer.join()

    def _read(self, source: Source) -> Picture:
        if source.blob:
            try:
                return Picture(self._blobs.get(source.blob))
            except LostBlob as error:
                raise StorageError(f"The input picture {source.blob[:12]}… is not stored any more. Start the run anew with it.") from error
        result = self._ledger.results.get(source.key)
        if result is None or source.index >= len(result.pictures):
            raise LostBlob(f"{source.key}#{source.index}")
        stored = result.pictures[source.index]
        return Picture(self._blobs.get(stored.blob), stored.infotext, stored.seed, stored.facts)

    def _remember(self, source: Source, picture: Picture) -> None:
        with self._guard:
            if source not in self._at_hand:
                self._at_hand[source] = picture
                self._bytes += len(picture.png)
            while self._bytes > _AT_HAND:
                _, oldest = self._at_hand.popitem(last=False)
                self._bytes -= len(oldest.png)

    def _write_all(self) -> None:
        while (first := self._tasks.get()) is not None:
            tasks: list[_Task] = [first]
            while len(tasks) < _BATCH and not self._tasks.empty():
                task = self._tasks.get()
                if task is None:  # the end, after these
                    self._write(tasks)
                    return
                tasks.append(task)
            self._write(tasks)

    def _write(self, tasks: list[_Task]) -> None:
        problem: AtelierError | None = None
        try:
            contents = [content for task in tasks for content in _contents(task.made.outcome)]
            names = iter(self._blobs.put_all(contents))
            self._ledger.finish([_finished(task.made, [next(names) for _ in _contents(task.made.outcome)]) for task in tasks])
        except AtelierError as error:
            problem = error
        except Exception as error:  # the writer must live on, and whoever waits must hear of it
            _log.exception("A result could not be written")
            problem = StorageError(f"A result could not be stored: {type(error).__name__}: {error}")
        for task in tasks:
            if problem is None:
                for index, picture in enumerate(task.made.outcome.pictures):
                    self._remember(Source(task.made.node.key, index), picture)
            with self._guard:
                self._unwritten.pop(task.made.node.key, None)
            task.then(problem)


def _contents(outcome: Outcome) -> list[bytes]:
    return [*(picture.png for picture in outcome.pictures), *outcome.files.values()]


def _finished(made: Made, names: list[str]) -> Finished:
    node, outcome = made.node, made.outcome
    pictures = tuple(
        StoredPicture(blob=name, size=len(picture.png), infotext=picture.infotext, seed=picture.seed, facts=picture.facts)
        for name, picture in zip(names, outcome.pictures, strict=False)
    )
    named = zip(names[len(pictures) :], outcome.files.items(), strict=True)
    result = Result(
        key=node.key,
        type=node.type.name,
        pictures=pictures,
        reason=outcome.reason,
        files={path: StoredFile(blob=name, size=len(content)) for name, (path, content) in named},
        parts=node.parts,
        backend=made.backend_class,
        seconds=made.seconds,
        cost=made.cost,
        unusual=made.unusual,
        made=time.time(),
    )
    event = {
        "key": node.key,
        "stage": node.id,
        "place": node.place,
        "backend": made.backend,
        "seconds": round(made.seconds, 3),
        "pictures": [picture.blob for picture in pictures],
        "reason": outcome.reason,
    }
    return Finished(made.run, result, event)
