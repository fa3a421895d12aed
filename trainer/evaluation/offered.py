"""How does a save that is better than the last come to where the WebUI finds it? As a file of its own beside the finished one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from trainer.card import write_card
from trainer.evaluation.scores import SaveScores
from trainer.lora_file import copy_lora
from trainer.lora_output import refresh_list, told_of
from trainer.report import Report
from trainer.session import Session


def offered(session: Session, save: SaveScores, report: Report) -> Path:
    """The file that is to be used: in the LoRA folder with a card, or where none is named, as it lies in the run's folder."""
    file, config = session.folder / save.file, session.config
    if not config.output.lora_folder:
        return file
    lora = copy_lora(file, Path(config.output.lora_folder).expanduser())
    told = replace(told_of(session, lora.stem), steps=save.step)
    write_card(lora, told, session.checkpoint.family, session.folder / "samples", save.step)
    refresh_list(session, report.log)
    return lora
