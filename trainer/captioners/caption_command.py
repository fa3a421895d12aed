"""`python -m trainer caption CONFIG`: looks at every picture of a folder and writes its caption beside it.

What is written can be taken back with `python -m trainer captions`, undo=1. A run that was cut off goes on: what it wrote is known by its
journal, whatever is done with captions that are there.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image

from lib_extension.captions.compose import Said, composed, merged
from lib_extension.captions.edits import Difference
from lib_extension.captions.files import Captioned, read_folder
from lib_extension.captions.journal import Journal, journal_of
from lib_extension.spec.captioning import CaptioningSettings
from lib_extension.spec.errors import BadFile, BadRequest
from lib_extension.spec.home import DEFAULT_HOME
from lib_extension.spec.settings import from_json, to_json
from trainer.captioners import open_captioner
from trainer.captioners.batches import Shown, batches
from trainer.captioners.compare import compare
from trainer.captioners.described import Captioner, Described, joined
from trainer.config_file import read_config
from trainer.report import Report

_WRITTEN_AT_ONCE = 64  # captions: so many are lost at most when the program is killed


def run(arguments: Sequence[str], report: Report) -> int:
    """The exit status."""
    settings = from_json(CaptioningSettings, read_config(arguments))
    folder = Path(settings.folder)
    captions = read_folder(folder, settings.ending, settings.nested)
    if not captions:
        raise BadRequest(f'There are no pictures in "{folder}".')
    journal = Journal(Path(settings.journal)) if settings.journal else journal_of(DEFAULT_HOME, folder)
    if settings.existing == "compare":
        compare(captions, settings, journal.folder, report)
        return 0
    title = f"captioned {_name(settings)}"
    done_before = journal.unfinished(title)
    wanted = [one for one in captions if _is_wanted(one, settings, done_before, report)]
    skipped = len(captions) - len(wanted)
    if not wanted:
        report.value("captioned", written=0, skipped=skipped, failed=0)
        report.log("Every picture has its caption already; existing=replace writes them anew.")
        return 0
    captioners = [open_captioner(one, device_of(settings.device)) for one in settings.captioners]
    written, failed = _write_all(wanted, captioners, settings, journal, title, report)
    journal.finish(title)
    report.value("captioned", written=written, skipped=skipped, failed=failed)
    if not written:
        raise BadFile(f"0 captions were written for {len(wanted)} pictures; the lines above say why.")
    return 0


def device_of(name: str) -> str:
    """As torch names it. Raises BadRequest for one that is not there."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name != "cpu" and not (name.startswith("cuda") and torch.cuda.is_available()):
        raise BadRequest(f'device is "{name}"; here there is {"cuda and " if torch.cuda.is_available() else ""}cpu.')
    return name


def _write_all(
    wanted: Sequence[Captioned], captioners: Sequence[Captioner], settings: CaptioningSettings, journal: Journal, title: str, report: Report
) -> tuple[int, int]:
    """How many were written, and how many failed."""
    begun, seen, written, failed = time.monotonic(), 0, 0, 0
    pending: list[Difference] = []
    for some in batches(wanted, settings.batch):
        for shown, described in zip(some, _described(some, captioners), strict=True):
            one = shown.captioned
            new = composed(Said(described.tags, described.sentence, one.picture.parent.name), settings)
            if not new:
                failed += 1
                report.log(f"{one.name}: {described.problem or 'nothing was found to say of it'}")
                continue
            pending.append(Difference(one, one.text, merged(new, one.text, settings.existing)))
        seen += len(some)
        report.progress(seen, len(wanted), "captioned", (time.monotonic() - begun) / seen * (len(wanted) - seen))
        if len(pending) >= _WRITTEN_AT_ONCE or seen == len(wanted):
            outcome = journal.apply(pending, title, unfinished=True)
            written, failed, pending = written + outcome.done, failed + len(outcome.refused), []
            for name, why in outcome.refused:
                report.log(f"{name}: {why}")
    return written, failed


def _described(some: Sequence[Shown], captioners: Sequence[Captioner]) -> list[Described]:
    """What all captioners say of each; a picture that cannot be read has a problem instead."""
    said = iter(_joined([shown.picture for shown in some if shown.picture is not None], captioners))
    return [next(said) if shown.picture is not None else Described(problem=shown.problem) for shown in some]


def _joined(pictures: Sequence[Image.Image], captioners: Sequence[Captioner]) -> list[Described]:
    if not pictures:
        return []
    return [joined(of_one) for of_one in zip(*(captioner.describe(pictures) for captioner in captioners), strict=True)]


def _is_wanted(one: Captioned, settings: CaptioningSettings, done_before: set[str], report: Report) -> bool:
    if one.problem:
        report.log(one.problem)
        return False
    if str(one.file) in done_before:
        return False
    return not (one.text and settings.existing == "skip")


def _name(settings: CaptioningSettings) -> str:
    """What a run that goes on is known by."""
    kinds = ", ".join(one.kind for one in settings.captioners)
    digest = hashlib.sha256(json.dumps(to_json(settings), sort_keys=True).encode()).hexdigest()
    return f"by {kinds} ({digest[:8]})"
