"""Looks at every picture of a folder and writes what is wrong with them: `python -m trainer prepare CONFIG` without `into`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from lib_extension.captions.files import read_folder
from lib_extension.spec.dataset import CheckSettings
from lib_extension.spec.errors import BadRequest
from trainer.dataset.findings import KINDS, findings_of
from trainer.dataset.page import PAGE, write_report
from trainer.dataset.seen import see_all
from trainer.report import Report


def check(settings: CheckSettings, report: Report) -> None:
    """Writes report.html and report.json. Raises BadRequest where there is nothing to look at."""
    folder = Path(settings.folder)
    files = [(one.picture, one.name) for one in read_folder(folder, nested=settings.nested)]
    if not files:
        raise BadRequest(f'There are no pictures in "{folder}".')
    seen = list(see_all(files, settings, lambda done, total: report.progress(done, total, "looked at")))
    findings = findings_of(seen, settings.limits)
    into = Path(settings.report) if settings.report else folder.with_name(f"{folder.name}-report")
    write_report(into, settings, seen, findings)
    often = Counter(finding.kind for finding in findings)
    for kind, title in KINDS.items():
        if often[kind]:
            report.log(f"{title}: {often[kind]}")
    report.value("report", pictures=len(seen), findings=len(findings), page=str(into / PAGE))
