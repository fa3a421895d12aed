"""Looks at every picture of a folder and writes what is wrong with them: `python -m trainer prepare CONFIG` without `into`."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from lib_extension.captions.files import read_folder
from lib_extension.spec.dataset import CheckSettings
from lib_extension.spec.errors import BadRequest
from trainer.dataset.findings import KINDS, findings_of
from trainer.dataset.page import PAGE, make_folder, write_report
from trainer.dataset.seen import see_all
from trainer.report import Report


def check(settings: CheckSettings, report: Report) -> None:
    """Writes report.html and report.json. Raises BadRequest where there is nothing to look at."""
    folder = _whole(Path(settings.folder))
    settings = replace(settings, folder=str(folder))
    files = [(one.picture, one.name) for one in read_folder(folder, nested=settings.nested)]
    if not files:
        raise BadRequest(f'There are no pictures in "{folder}".')
    into = _into(settings, folder)
    make_folder(into)  # before anything slow
    seen = list(see_all(files, settings, lambda done, total: report.progress(done, total, "looked at")))
    findings = findings_of(seen, settings.limits)
    write_report(into, settings, seen, findings)
    often = Counter(finding.kind for finding in findings)
    for kind, title in KINDS.items():
        if often[kind]:
            report.log(f"{title}: {often[kind]}")
    report.value("report", pictures=len(seen), findings=len(findings), page=str(into / PAGE))


def _whole(folder: Path) -> Path:
    """With a name, also where it is "." or ends with ".."; a link stays one."""
    whole = folder.absolute()
    return whole.resolve() if ".." in whole.parts else whole


def _into(settings: CheckSettings, folder: Path) -> Path:
    if settings.report:
        return Path(settings.report)
    if not folder.name:
        raise BadRequest(f'Beside "{folder}" there is no place for a report. Set report to a folder for it.')
    return folder.with_name(f"{folder.name}-report")
