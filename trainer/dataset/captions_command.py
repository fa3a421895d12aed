"""`python -m trainer captions CONFIG`: counts a folder's captions, edits them, takes edits back, brings them from and to other programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import inf
from pathlib import Path

from lib_extension.captions import contradictions
from lib_extension.captions.counts import balance, count, fused_with
from lib_extension.captions.edits import Difference, differences
from lib_extension.captions.exchange import export
from lib_extension.captions.files import Captioned, read_folder
from lib_extension.captions.filters import Known, matching
from lib_extension.captions.journal import Journal, Outcome, journal_of
from lib_extension.captions.reading import matched, read_from
from lib_extension.pictures.looks import Looks
from lib_extension.spec.captions import CaptionsSettings
from lib_extension.spec.errors import BadFile, BadRequest
from lib_extension.spec.home import DEFAULT_HOME
from lib_extension.spec.settings import from_json, to_json
from trainer.config_file import read_config
from trainer.data.caption_files import captions_of
from trainer.data.folders import places_of
from trainer.data.kohya import read_dataset
from trainer.data.mistakes import lines
from trainer.report import Report

_SHOWN = 50  # differences, and tags, that are told


def run(arguments: Sequence[str], report: Report) -> int:
    """The exit status."""
    settings = from_json(CaptionsSettings, read_config(arguments))
    folder = Path(settings.folder).absolute()
    journal = Journal(Path(settings.journal)) if settings.journal else journal_of(DEFAULT_HOME, folder)
    for _ in range(settings.undo):
        _tell(journal.undo(), "taken back", report)
    captions = read_folder(folder, settings.ending, settings.nested)
    if not captions:
        raise BadRequest(f'There are no pictures in "{folder}".')
    for one in captions:
        if one.problem:
            report.log(one.problem)
    if settings.read:
        changes = _read(Path(settings.read), captions, report)
        _carry_out(changes, f"read {Path(settings.read).name}", settings, journal, report)
    if settings.edits:
        changes = differences(_meant(captions, settings, journal), settings.edits)
        title = json.dumps([to_json(edit) for edit in settings.edits], ensure_ascii=False)
        _carry_out(changes, title, settings, journal, report)
    captions = read_folder(folder, settings.ending, settings.nested)
    if settings.export and not settings.preview:
        written = export(_meant(captions, settings, journal), settings.export)
        report.log(f"{len(written)} files written into {settings.export.into}")
        for one in captions:
            if one.problem:
                report.log(f"{one.name} is left out: {one.problem}")
    _summary(captions, settings, report)
    return 0


def _read(file: Path, captions: Sequence[Captioned], report: Report) -> list[Difference]:
    """What the file's captions change; what they cannot is told."""
    is_toml = file.suffix.lower() == ".toml"
    changes, strange = matched(_told_by_dataset(file, report), captions) if is_toml else read_from(file, captions)
    for name in strange[:_SHOWN]:
        report.log(f'"{name}" is named there, and is no picture of the folder, or not surely one')
    for change in changes:
        if change.captioned.problem:
            report.log(f"{change.captioned.name}: {change.captioned.problem}")
    return [change for change in changes if not change.captioned.problem]


def _told_by_dataset(file: Path, report: Report) -> list[tuple[str, str]]:
    """The captions of the folders that a dataset file of kohya's trainer names, by their pictures' paths."""
    places, problems = places_of(read_dataset(file).settings)
    told: list[tuple[str, str]] = []
    for place in places:
        captions, wrong = captions_of(place)
        told += [(str(picture.absolute()), text) for picture, text in captions.items()]
        problems = [*problems, *wrong]
    for line in lines(problems):
        report.log(line)
    return told


def _meant(captions: Sequence[Captioned], settings: CaptionsSettings, journal: Journal) -> list[Captioned]:
    """By the filter; pictures are looked at where it asks for their looks."""
    wanted = settings.filter
    files = {one.name: one.picture for one in captions}
    similar = Looks().similar(files, wanted.similar, wanted.alike, patience=inf) if wanted.similar else None
    contradicted = contradictions.of_captions(captions, contradictions.read(journal.folder)) if wanted.contradicted else None
    return matching(captions, wanted, Known(similar, contradicted))


def _carry_out(changes: Sequence[Difference], title: str, settings: CaptionsSettings, journal: Journal, report: Report) -> None:
    for change in changes[:_SHOWN]:
        report.value("difference", name=change.captioned.name, before=change.before, after=change.after)
    if len(changes) > _SHOWN:
        report.log(f"and {len(changes) - _SHOWN} more")
    if settings.preview:
        report.log(f"{len(changes)} captions would change")
    elif changes:
        _tell(journal.apply(changes, title), "changed", report)
    else:
        report.log("No caption changes")


def _tell(outcome: Outcome, what: str, report: Report) -> None:
    for name, why in outcome.refused:
        report.log(f"{name}: {why}")
    report.log(f"{outcome.done} captions {what}")
    if outcome.refused and not outcome.done:
        raise BadFile(f"0 captions were {what}; the lines above say why for each of {len(outcome.refused)}.")


def _summary(captions: Sequence[Captioned], settings: CaptionsSettings, report: Report) -> None:
    counts = count(captions)
    report.value(
        "captions",
        captions=counts.captions,
        empty=counts.empty,
        tags=[list(pair) for pair in counts.tags[:_SHOWN]],
        folders=[list(pair) for pair in balance(captions)],
        fused=[list(pair) for pair in fused_with(settings.trigger, captions)],
    )
