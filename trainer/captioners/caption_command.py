"""`python -m trainer caption CONFIG`: looks at every picture of a folder and writes its caption beside it.

What is written can be taken back with `python -m trainer captions`, undo=1. A run that was cut off goes on: what it wrote is known by its
journal, whatever is done with captions that are there. Whatever ends it, what was said until then is written.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from PIL import Image

from lib_extension.captions.compose import Said, composed, merged
from lib_extension.captions.edits import Difference
from lib_extension.captions.files import Captioned, read_folder
from lib_extension.captions.journal import Journal, journal_of
from lib_extension.spec.captioning import CaptioningSettings, EndpointSettings
from lib_extension.spec.errors import BadFile, BadRequest
from lib_extension.spec.home import DEFAULT_HOME
from lib_extension.spec.settings import from_json, to_json
from trainer.captioners import open_captioner
from trainer.captioners.batches import Shown, batches
from trainer.captioners.compare import compare
from trainer.captioners.described import Captioner, Described, joined
from trainer.config_file import read_config
from trainer.report import Report
from trainer.stop import Stop

DONE, STOPPED = 0, 3
_WRITTEN_AT_ONCE, _WRITTEN_AFTER = 64, 10.0  # captions, seconds: so many are lost at most when the program is killed


def run(arguments: Sequence[str], report: Report) -> int:
    """The exit status."""
    asked = from_json(CaptioningSettings, read_config(arguments))
    settings = replace(asked, folder=str(Path(asked.folder).absolute()))
    folder = Path(settings.folder)
    captions = read_folder(folder, settings.ending, settings.nested)
    if not captions:
        raise BadRequest(f'There are no pictures in "{asked.folder}".')
    journal = Journal(Path(settings.journal)) if settings.journal else journal_of(DEFAULT_HOME, folder)
    if settings.existing == "compare":
        with Stop() as stop:
            return DONE if compare(captions, settings, journal.folder, report, stop) else STOPPED
    work = _Work(settings, journal, f"captioned {_name(settings)}", report)
    wanted = work.wanted(captions)
    asked_for = len(wanted) + work.failed
    with Stop() as stop:
        try:
            is_whole = not wanted or _write_all(wanted, work, stop)
        finally:
            report.value("captioned", written=work.written, skipped=len(captions) - asked_for, failed=work.failed)
    if not is_whole:
        report.log("It was stopped. Start it again, and it goes on.")
        return STOPPED
    journal.finish(work.title)
    if not asked_for:
        report.log("Every picture has its caption already; existing=replace writes them anew.")
    elif not work.written:
        raise BadFile(f"0 captions were written for {asked_for} pictures; the lines above say why.")
    return DONE


def device_of(name: str) -> str:
    """As torch names it. Raises BadRequest for one that is not there."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name != "cpu" and not (name.startswith("cuda") and torch.cuda.is_available()):
        raise BadRequest(f'device is "{name}"; here there is {"cuda and " if torch.cuda.is_available() else ""}cpu.')
    return name


@dataclass
class _Work:
    """What has become of the pictures until now; `pending` captions are not written yet."""

    settings: CaptioningSettings
    journal: Journal
    title: str
    report: Report
    pending: list[Difference] = field(default_factory=list)
    written: int = 0
    failed: int = 0
    looked: float = field(default_factory=time.monotonic)  # when pending captions were last written

    def wanted(self, captions: Sequence[Captioned]) -> list[Captioned]:
        """Those that are to be captioned. One whose caption cannot be read, or is another picture's, too, has failed."""
        done_before = self.journal.unfinished(self.title)
        skips = self.settings.existing == "skip"
        for one in captions:
            if one.problem:
                self.report.log(one.problem)
                self.failed += not (one.text and skips)
        return [one for one in captions if not (one.problem or (one.text and skips) or str(one.file) in done_before)]

    def take(self, one: Captioned, described: Described) -> None:
        """A caption is written where every captioner could say something, so that a second run asks for what is lacking."""
        said = Said(described.tags, described.sentence, one.picture.parent.name)
        new = "" if described.problem else composed(said, self.settings)
        if new:
            self.pending.append(Difference(one, one.text, merged(new, one.text, self.settings.existing, self.settings.trigger)))
            return
        self.failed += 1
        self.report.log(f"{one.name}: {described.problem or 'nothing was found to say of it'}")

    def write(self) -> None:
        """What is pending."""
        pending, self.pending, self.looked = self.pending, [], time.monotonic()
        outcome = self.journal.apply(pending, self.title, unfinished=True)
        self.written, self.failed = self.written + outcome.done, self.failed + len(outcome.refused)
        for name, why in outcome.refused:
            self.report.log(f"{name}: {why}")

    @property
    def is_due(self) -> bool:
        """Whether much is pending, or some for long."""
        return len(self.pending) >= _WRITTEN_AT_ONCE or time.monotonic() - self.looked > _WRITTEN_AFTER


def _write_all(wanted: Sequence[Captioned], work: _Work, stop: Stop) -> bool:
    """Whether it came to the end. What is pending is written however it ends."""
    settings = work.settings
    captioners = [open_captioner(one, device_of(settings.device)) for one in settings.captioners]
    begun, seen = time.monotonic(), 0
    try:
        for some in batches(wanted, _at_once(settings)):
            if stop.wanted():
                return False
            described = _described(some, captioners)
            for shown, said in zip(some, described, strict=True):
                work.take(shown.captioned, said)
            seen += len(some)
            work.report.progress(seen, len(wanted), "captioned", (time.monotonic() - begun) / seen * (len(wanted) - seen))
            for said in described:
                if said.end is not None:
                    raise said.end
            if work.is_due:
                work.write()
    finally:
        work.write()
    return True


def _at_once(settings: CaptioningSettings) -> int:
    """A server takes its time, so that it can be stopped after each picture."""
    servers = [one.at_once for one in settings.captioners if isinstance(one, EndpointSettings)]
    return max(servers, default=settings.batch)


def _described(some: Sequence[Shown], captioners: Sequence[Captioner]) -> list[Described]:
    """What all captioners say of each; a picture that cannot be read has a problem instead."""
    said = iter(_joined([shown.picture for shown in some if shown.picture is not None], captioners))
    return [next(said) if shown.picture is not None else Described(problem=shown.problem) for shown in some]


def _joined(pictures: Sequence[Image.Image], captioners: Sequence[Captioner]) -> list[Described]:
    if not pictures:
        return []
    return [joined(of_one) for of_one in zip(*(captioner.describe(pictures) for captioner in captioners), strict=True)]


def _name(settings: CaptioningSettings) -> str:
    """What a run that goes on is known by."""
    kinds = ", ".join(one.kind for one in settings.captioners)
    digest = hashlib.sha256(json.dumps(to_json(settings), sort_keys=True).encode()).hexdigest()
    return f"by {kinds} ({digest[:8]})"
