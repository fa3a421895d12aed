"""What is shown of a run on its way: pictures from its weights, and the loss on pictures kept apart."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from trainer.board import Board
from trainer.lora_file import write_lora
from trainer.lora_output import told_of
from trainer.report import Report
from trainer.samples import save_samples
from trainer.session import Session
from trainer.validation import validation_loss
from trainer.webui_samples import NoSamples, draw_by_webui


def draw_samples(session: Session, report: Report) -> None:
    """The samples of this step, by the trainer or by the WebUI that it was told. A WebUI that does not answer stops nothing."""
    config = session.config
    report.progress(session.step, session.total, "drawing samples")
    try:
        by_webui = config.run.sample_by
        pictures = _by_webui(session) if by_webui else session.sampler.draw(session.checkpoint, session.noising)
    except NoSamples as error:
        report.log(str(error))
        return
    for number, file in enumerate(save_samples(pictures, config, session.folder / "samples", session.step)):
        title = f"step {session.step}: {config.run.samples[number].prompt}"
        report.picture(file.relative_to(session.folder).as_posix(), title)


def measure(session: Session, report: Report, board: Board) -> None:
    """The validation loss, if there are pictures for it."""
    loss = validation_loss(session)
    if loss is not None:
        report.point("validation loss", session.step, loss)
        board.point("validation loss", session.step, loss)


def _by_webui(session: Session) -> list[Image.Image]:
    """From a file of this step's own name: the WebUI keeps the weights of one that is overwritten."""
    config = session.config
    told = told_of(session, f"{config.name}-sample-{session.step:06d}")
    file = write_lora(Path(config.output.lora_folder).expanduser(), session.checkpoint, config.network, told, config.output.dtype)
    try:
        return draw_by_webui(config.run.sample_by, file, config.run.samples, config.data.resolution)
    finally:
        file.unlink()
