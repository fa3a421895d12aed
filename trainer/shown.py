"""What is shown of a run on its way: pictures from its weights, and the loss on pictures kept apart."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image

from lib_extension.spec.errors import BadFile
from trainer.board import Board
from trainer.lora_file import write_lora
from trainer.lora_output import told_of
from trainer.report import Report
from trainer.samples import sample_size, save_samples
from trainer.session import Session
from trainer.validation import validation_loss
from trainer.written import DiskFull


def draw_samples(session: Session, report: Report) -> None:
    """The samples of this step, by the trainer or by the WebUI that it was told.

    Neither a WebUI that does not answer, nor a GPU whose memory is too small for drawing, nor a file that cannot be written stops anything.
    """
    config = session.config
    report.progress(session.step, session.total, "drawing samples")
    try:
        pictures = _by_webui(session, report) if config.run.sample_by else session.sampler.draw(session.checkpoint, session.noising)
    except torch.OutOfMemoryError:
        report.log(f"No samples are drawn after step {session.step}: the GPU's memory is too small for {_largest(session)} pixels.")
        return
    if not pictures:
        return
    try:
        files = save_samples(pictures, config, session.folder / "samples", session.step)
    except OSError as error:
        report.log(f"The samples of step {session.step} could not be written: {error.strerror or error}.")
        return
    for number, file in enumerate(files):
        title = f"step {session.step}: {config.run.samples[number].prompt}"
        report.picture(file.relative_to(session.folder).as_posix(), title)


def _largest(session: Session) -> str:
    sizes = [sample_size(session.config, sample) for sample in session.config.run.samples]
    return "{} × {}".format(*max(sizes, key=lambda size: size[0] * size[1]))


def measure(session: Session, report: Report, board: Board) -> None:
    """The validation loss, if there are pictures for it."""
    loss = validation_loss(session)
    if loss is not None:
        report.point("validation loss", session.step, loss)
        board.point("validation loss", session.step, loss)


def _by_webui(session: Session, report: Report) -> list[Image.Image]:
    """From a file of this step's own name: the WebUI keeps the weights of one that is overwritten. None where it draws none."""
    from trainer.webui_samples import NoAnswer, NoSamples, draw_by_webui  # here, as only those who ask for it should wait for httpx

    config = session.config
    if session.is_webui_away:
        return []
    if not config.output.lora_folder:
        report.log("No samples are drawn: run.sample_by names a WebUI, whose Lora folder output.lora_folder must name.")
        return []
    told = told_of(session, f"{config.name}-sample-{session.step:06d}")
    try:
        file = write_lora(Path(config.output.lora_folder).expanduser(), session.checkpoint, config.network, told, config.output.dtype)
        try:
            return draw_by_webui(config.run.sample_by, file, config.run.samples, config.data.resolution, report.log)
        finally:
            file.unlink(missing_ok=True)
    except (NoSamples, DiskFull, BadFile, OSError) as error:
        report.log(str(error))
        session.is_webui_away = isinstance(error, NoAnswer)
        return []
