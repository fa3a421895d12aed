"""Writes a folder's pictures, prepared, into another: `python -m trainer prepare CONFIG` with `into`.

What is made there is written down with what it is made from. So a run that was cut off goes on, one with other settings makes anew only
what they change, and what was made before and is no longer asked for goes. A picture, a caption or a mask that is there and was not made
here, or was changed since, is never touched.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path

from lib_extension.captions.files import Captioned, read_folder
from lib_extension.formats.picture_names import MASK_SUFFIX
from lib_extension.spec.dataset import PrepareSettings
from lib_extension.spec.errors import BadFile, BadRequest
from trainer.data.masks import by_stem
from trainer.dataset.prepare import aspect_of, colour_of
from trainer.dataset.prepare_manifest import Made, read_manifest, remove_others
from trainer.dataset.prepare_picture import Done, Task, do, whole
from trainer.report import Report

_SHOWN = 10  # files that are named


def prepare_folder(settings: PrepareSettings, report: Report) -> None:
    """Raises BadRequest where the settings or the folders cannot be, BadFile where nothing can be written."""
    aspect_of(settings.aspect)
    colour_of(settings.colour)
    folder, into = Path(settings.folder), Path(settings.into)
    _check_folders(folder, into)
    captions = [one for one in read_folder(folder, nested=settings.nested) if one.name not in set(settings.leave_out)]
    if not captions:
        raise BadRequest(f'There are no pictures in "{folder}".')
    _check_names(settings, captions)
    _make(into)
    made = read_manifest(into)
    tasks = _tasks(captions, made, settings.format)
    done = list(_carried_out(tasks, settings, report))
    problems = sum(bool(one.problem) for one in done)
    if problems == len(tasks):
        raise BadFile(f"None of the {len(tasks)} pictures could be prepared; the lines above say why for each.")
    _clean(settings, made, done, report)
    new = sum(one.new for one in done)
    report.value("prepared", pictures=len(tasks) - problems, made=new, problems=problems, folder=str(into))


def _carried_out(tasks: Sequence[Task], settings: PrepareSettings, report: Report) -> Iterator[Done]:
    for number, done in enumerate(_work(tasks, settings), 1):
        if done.is_full:
            raise BadFile(
                f"{done.problem} {number - 1} of {len(tasks)} pictures are done. Free some space and start again: it goes on there."
            )
        if done.problem:
            report.log(f"{done.name}: {done.problem}")
        report.progress(number, len(tasks), "prepared")
        yield done


def _clean(settings: PrepareSettings, made: Made, done: Sequence[Done], report: Report) -> None:
    """Deletes what was made before and is no longer asked for, and tells what stays as somebody else made it."""
    wanted = {file for one in done for file in one.files}
    failed = {one.name for one in done if one.problem}
    try:
        removed, kept = remove_others(Path(settings.into), made, whole(settings.folder), wanted, failed)
    except OSError as problem:
        raise BadFile(f'What is no longer asked for cannot be removed from "{settings.into}": {problem.strerror}.') from problem
    left = [file for one in done for file in one.left]
    _tell(removed, "no longer asked for, and removed", report)
    _tell(kept, "no longer asked for, but changed since they were made: they stay. Remove them, if they are not to be trained on", report)
    _tell(left, "not made here or changed since: they stay as they are. Remove them to have them made anew", report)


def _tell(files: Sequence[str], what: str, report: Report) -> None:
    if files:
        more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
        report.log(f"{len(files)} × {what}: {', '.join(files[:_SHOWN])}{more}")


def _check_folders(folder: Path, into: Path) -> None:
    here, there = folder.resolve(), into.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise BadRequest(
            f'into is "{into}"; it must lie neither in the folder of the pictures nor around it, so that they stay as they are.'
        )


def _check_names(settings: PrepareSettings, captions: Sequence[Captioned]) -> None:
    names = {one.name for one in captions}
    if strange := sorted(set(settings.boxes) - names):
        raise BadRequest(f'boxes names "{strange[0]}", which is no picture of the folder.')


def _make(into: Path) -> None:
    try:
        into.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise BadFile(f'The folder "{into}" cannot be made: {problem.strerror}.') from problem


def _tasks(captions: Sequence[Captioned], made: Made, ending: str) -> list[Task]:
    """Two pictures of one name get the second's ending into its name."""
    taken: set[str] = set()
    masks: dict[Path, dict[str, Path]] = {}
    tasks = []
    for one in captions:
        stem = Path(one.name).with_suffix("").as_posix()
        target = f"{stem}.{ending}"
        if target.casefold() in taken:
            target = f"{stem}-{one.picture.suffix[1:].lower()}.{ending}"
        while target.casefold() in taken:
            target = f"{Path(target).with_suffix('').as_posix()}-2.{ending}"
        taken.add(target.casefold())
        folder = one.picture.parent
        if folder not in masks:
            masks[folder] = by_stem(folder, deep=False)
        task = Task(one, target, {}, masks[folder].get(one.picture.stem + MASK_SUFFIX))
        tasks.append(replace(task, made={file: made.versions[file] for file in (target, task.caption, task.mask) if file in made.versions}))
    return tasks


def _work(tasks: Sequence[Task], settings: PrepareSettings) -> Iterator[Done]:
    processes = min(settings.processes or os.cpu_count() or 1, len(tasks))
    if processes == 1:
        yield from map(partial(do, settings), tasks)
        return
    try:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
            try:
                yield from pool.map(partial(do, settings), tasks, chunksize=4)
            finally:
                pool.shutdown(cancel_futures=True)
    except BrokenProcessPool as problem:
        raise BadFile(
            "A process that prepared pictures was ended from outside, most likely for want of memory. Set processes to 1."
        ) from problem


def _end_with_parent() -> None:
    """A process of the pool would wait for work for ever, if the one that gives it is killed."""
    parent = parent_process()
    assert parent is not None

    def end() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()
