"""Writes a folder's pictures, prepared, into another: `python -m trainer prepare CONFIG` with `into`.

What is made is written down in `prepared.jsonl` there, with what it is made from: before its file is put in place, and once more after
that. So a run that was cut off goes on, and one with other settings makes anew only what they change. A file that is there and was not
made here is never touched.
"""

from __future__ import annotations

import errno
import io
import json
import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from PIL import Image

from lib_extension.captions.files import Captioned, read_folder, write_bytes
from lib_extension.formats.picture_names import MASK_SUFFIX
from lib_extension.spec.dataset import PrepareSettings
from lib_extension.spec.errors import AtelierError, BadFile, BadRequest
from lib_extension.spec.settings import to_json
from trainer.data.pictures import DAMAGE, TooManyPixels, UnknownPixels, colours, file_hash, has_alpha, opened, upright
from trainer.dataset.prepare import aspect_of, colour_of, prepared
from trainer.dataset.tools import tools_for
from trainer.report import Report

MANIFEST = "prepared.jsonl"
_NOT_ABOUT_PIXELS = ("folder", "into", "nested", "leave_out", "processes", "boxes")
_FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}


@dataclass(frozen=True)
class Task:
    """One picture and where it goes."""

    captioned: Captioned
    target: Path
    is_ours: bool = False  # the target is there, and was made here
    done_from: str = ""  # the key that it was made by, where that is sure


@dataclass(frozen=True)
class Done:
    """What became of a task: made anew, there already, or a problem."""

    name: str
    new: bool = False
    problem: str = ""
    is_full: bool = False  # no other picture could be written either


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
    tasks = _tasks(captions, into, settings.format)
    made = problems = 0
    for number, done in enumerate(_work(tasks, settings), 1):
        made += done.new
        if done.is_full:
            raise BadFile(
                f"{done.problem} {number - 1} of {len(tasks)} pictures are done. Free some space and start again: it goes on there."
            )
        if done.problem:
            problems += 1
            report.log(f"{done.name}: {done.problem}")
        report.progress(number, len(tasks), "prepared")
    if problems == len(tasks):
        raise BadFile(f"None of the {len(tasks)} pictures could be prepared; the lines above say why for each.")
    report.value("prepared", pictures=len(tasks) - problems, made=made, problems=problems, folder=str(into))


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


def _tasks(captions: Sequence[Captioned], into: Path, ending: str) -> list[Task]:
    """Two pictures of one name get the second's ending into its name."""
    known = _manifest(into)
    taken: set[str] = set()
    tasks = []
    for one in captions:
        stem = Path(one.name).with_suffix("").as_posix()
        target = f"{stem}.{ending}"
        if target.casefold() in taken:
            target = f"{stem}-{one.picture.suffix[1:].lower()}.{ending}"
        while target.casefold() in taken:
            target = f"{Path(target).with_suffix('').as_posix()}-2.{ending}"
        taken.add(target.casefold())
        path = into / target
        keys = known.get(target, {})
        size = path.stat().st_size if path.is_file() else -1
        tasks.append(Task(one, path, size in keys, keys.get(size, "")))
    return tasks


def _manifest(into: Path) -> dict[str, dict[int, str]]:
    """Target → the sizes that its file may have, each with the key that it was made by, where that is sure. A line cut off is none."""
    found: dict[str, dict[int, str]] = {}
    try:
        lines = (into / MANIFEST).read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    for line in lines:
        try:
            told = json.loads(line)
            sizes = found.setdefault(told["target"], {})
            if told["done"]:
                sizes.clear()
            else:  # the file may still be an earlier one
                sizes.update(dict.fromkeys(sizes, ""))
            sizes[told["size"]] = told["key"] if told["done"] else ""
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _work(tasks: Sequence[Task], settings: PrepareSettings) -> Iterator[Done]:
    processes = min(settings.processes or os.cpu_count() or 1, len(tasks))
    if processes == 1:
        yield from map(partial(_do, settings), tasks)
        return
    try:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
            try:
                yield from pool.map(partial(_do, settings), tasks, chunksize=4)
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


def _do(settings: PrepareSettings, task: Task) -> Done:
    name, target = task.captioned.name, task.target
    told = target.relative_to(settings.into).as_posix()
    try:
        data = task.captioned.picture.read_bytes()
        key = _key(data, settings, name)
        if task.done_from == key:
            return Done(name)
        if target.exists() and not task.is_ours:
            raise BadFile(f'"{told}" is there already and was not made here. Move it away, or choose another folder.')
        _write(data, task, settings, told, key)
        return Done(name, new=True)
    except AtelierError as problem:
        return Done(name, problem=str(problem), is_full=_is_full(problem.__cause__))
    except OSError as problem:
        return Done(name, problem=f"{problem.strerror or problem}.", is_full=_is_full(problem))


def _is_full(problem: BaseException | None) -> bool:
    return isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def _key(data: bytes, settings: PrepareSettings, name: str) -> str:
    about = {field: value for field, value in to_json(settings).items() if field not in _NOT_ABOUT_PIXELS}
    box = to_json(settings.boxes[name]) if name in settings.boxes else None
    return file_hash(data + json.dumps([about, box], sort_keys=True).encode())


def _write(data: bytes, task: Task, settings: PrepareSettings, told: str, key: str) -> None:
    """The picture with its caption and its mask, the picture last: while it is not there, the task is not done."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd EXIF and the like
        done = prepared(_decoded(data), task.captioned.name, settings, tools_for(settings, task.captioned.name))
    task.target.parent.mkdir(parents=True, exist_ok=True)
    if task.captioned.file.is_file():
        write_bytes(task.target.with_suffix(task.captioned.file.suffix), task.captioned.file.read_bytes())
    if done.mask is not None:
        write_bytes(task.target.with_name(f"{task.target.stem}{MASK_SUFFIX}.png"), _encoded(done.mask, "png", 0))
    written = _encoded(done.picture, settings.format, settings.quality)
    line = {"target": told, "key": key, "size": len(written)}
    _note(settings, {**line, "done": False})
    write_bytes(task.target, written)
    _note(settings, {**line, "done": True})


def _note(settings: PrepareSettings, line: dict[str, Any]) -> None:
    """Add a line to the manifest: in one piece, as several processes do; its end comes first, as the line before may be cut off."""
    with (Path(settings.into) / MANIFEST).open("ab", buffering=0) as manifest:
        manifest.write(f"\n{json.dumps(line, ensure_ascii=False)}".encode())


def _decoded(data: bytes) -> Image.Image:
    try:
        return upright(opened(data))
    except TooManyPixels as problem:
        raise BadFile("It has too many pixels to be sure that it is a picture. Make it smaller.") from problem
    except (UnknownPixels, *DAMAGE) as problem:
        raise BadFile("It cannot be read as a picture. Replace it by a sound copy, or leave it out.") from problem


def _encoded(picture: Image.Image, ending: str, quality: int) -> bytes:
    keeps_alpha = has_alpha(picture) and ending != "jpg"
    mode = "L" if picture.mode == "L" else "RGBA" if keeps_alpha else "RGB"
    image = picture.convert(mode) if keeps_alpha or mode == "L" else colours(picture)
    more: dict[str, Any] = {} if ending == "png" else {"quality": quality}
    profile = picture.info.get("icc_profile")
    out = io.BytesIO()
    image.save(out, _FORMATS[ending], **more, **({"icc_profile": profile} if profile and mode != "L" else {}))
    return out.getvalue()
