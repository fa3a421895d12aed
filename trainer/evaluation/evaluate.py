"""Which of a finished run's saves is to be used, and what went wrong? Every kept LoRA file is drawn with, measured and compared."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from trainer.base_model import find_base
from trainer.device import placement
from trainer.evaluation import scores
from trainer.evaluation.diagnosis import Finding, diagnosis
from trainer.evaluation.drawing import Drawing
from trainer.evaluation.figures import figures_of
from trainer.evaluation.measuring import Measuring
from trainer.evaluation.offered import offered
from trainer.evaluation.scores import SaveScores
from trainer.evaluation.sheet import Cell, write_sheet
from trainer.report import Report
from trainer.session import Session, cache_folder_of
from trainer.trained import Trained
from trainer.written import write_bytes

EVALUATION = "evaluation.json"
_NONE = "No figure says which save has learnt most: keep pictures apart (data.validation_share), or name a tagger or a CLIP "
_NONE += "(evaluation.tagger). Look at the sheet."


@dataclass(frozen=True)
class Evaluation:
    """What was found; `best` is a file's name, "" where no figure tells one save from another."""

    saves: tuple[SaveScores, ...]
    totals: tuple[float, ...]
    best: str
    findings: tuple[Finding, ...]
    sheet: str  # below the run's folder


def evaluate(session: Session, report: Report, stopped: Callable[[], bool]) -> Evaluation | None:
    """Draws, measures, tells and writes it down. It takes the trained network out of the session, which must be over. None when stopped."""
    saves, measured, cells = _saves(session), [], []
    report.progress(session.step, session.total, "comparing the saves")
    measuring = Measuring(session, _drawing(session))
    for number, (step, file) in enumerate(saves, 1):
        report.progress(session.step, session.total, f"comparing save {number} of {len(saves)}")
        if stopped():
            return None
        measured.append(measuring.of(step, file))
        for weight in sorted(set(session.config.evaluation.weights)):
            if stopped():
                return None
            cells += measuring.cells(step, file, weight)
    found = _concluded(session, measured, cells)
    write_bytes(session.folder / EVALUATION, (json.dumps(asdict(found), indent=2, ensure_ascii=False) + "\n").encode())
    _tell(found, session, report)
    return found


def _concluded(session: Session, saves: Sequence[SaveScores], cells: Sequence[Cell]) -> Evaluation:
    totals = scores.totals(saves)
    best = scores.best(saves)
    # What was forgotten says nothing alone: the save that learnt nothing forgot nothing.
    learnt = any(value is not None for one in saves for value in (one.validation_loss, one.agreement, one.likeness))
    told = best is not None and (len(saves) == 1 or (learnt and max(totals) > min(totals)))
    losses = {one.step: one.validation_loss for one in saves if one.validation_loss is not None}
    columns = len(set(session.config.evaluation.weights))
    sheet = write_sheet(cells, session.folder / "samples", session.config.name, columns)
    return Evaluation(
        saves=tuple(saves),
        totals=tuple(totals),
        best=best.file if best is not None and told else "",
        findings=diagnosis(figures_of(session, losses)),
        sheet=sheet.relative_to(session.folder).as_posix(),
    )


def _tell(found: Evaluation, session: Session, report: Report) -> None:
    """For people as words, for programs as events: `save` and `finding` of each, then `evaluation` with the file that is proposed."""
    report.picture(found.sheet, "the saves at several weights")
    for save, total in zip(found.saves, found.totals, strict=True):
        figures = {
            "validation loss": save.validation_loss,
            "agreement": save.agreement,
            "likeness": save.likeness,
            "kept of the base": save.kept,
        }
        told = ", ".join(f"{name} {value:.4f}" for name, value in figures.items() if value is not None)
        report.log(f"{save.file}: {told}")
        report.value("save", **asdict(save), total=total)
    report.log(f"The best save seems to be {found.best}." if found.best else _NONE)
    for finding in found.findings:
        report.log(finding.text)
        report.value("finding", **asdict(finding))
    best = next((save for save in found.saves if save.file == found.best), None)
    file = offered(session, best, report) if best is not None and best.step != session.step else None
    report.value("evaluation", best=found.best, step=best.step if best else None, file=str(file) if file else "", sheet=found.sheet)


def _drawing(session: Session) -> Drawing:
    """The base anew and bare in the session, in place of the trained one, which leaves memory first."""
    config, accelerator = session.config, session.accelerator
    del session.trained
    gc.collect()
    if accelerator.device.type == "cuda":
        torch.cuda.empty_cache()
    base = find_base(config.model, placement(accelerator, config.memory), cache_folder_of(config))
    checkpoint = base.load(leave_out=())
    session.trained = Trained(checkpoint, torch.optim.SGD([nn.Parameter(torch.zeros(()))]), ())  # nothing is trained any more
    return Drawing(config, base, checkpoint, session.noising)


def _saves(session: Session) -> list[tuple[int, Path]]:
    """The files of the run's steps that are there, in order."""
    pattern = re.compile(re.escape(session.config.name) + r"-(\d{6,})\.safetensors")
    return sorted((int(match[1]), file) for file in session.folder.iterdir() if (match := pattern.fullmatch(file.name)))
