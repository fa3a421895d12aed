"""The training: batch, loss, backward, step, report, save, read from top to bottom."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

import torch

from trainer.board import Board
from trainer.checkpoint import save_state
from trainer.gradients import add_gradients, add_up, tell_full
from trainer.guard import NotFinite, likely_cause
from trainer.lora_output import finish, is_finished, save_file
from trainer.plot import draw_loss
from trainer.report import Report
from trainer.savings import OutOfMemory
from trainer.schedules import factor
from trainer.session import Session
from trainer.shown import draw_samples, measure
from trainer.stop import Stop

Ending = Literal["finished", "stopped"]


def train(session: Session, stop: Stop, report: Report) -> Ending:
    """Every step from where the session stands to its end, or until somebody stops it. Either way all is saved."""
    config, accelerator, trained = session.config, session.accelerator, session.trained
    clip = config.optimizer.max_grad_norm or float("inf")
    board = Board(session.folder if config.run.tensorboard and session.is_main else None)
    pace = _Pace(session.step, session.total)
    batch = None

    if session.step >= session.total:
        if is_finished(session):
            report.log(f"All {session.total} steps are done already. More of them, by run.steps or run.epochs, go on from here.")
        _finish(session, report)  # what lacks, where it was ended or failed between the last step and the last file
        return "finished"
    if session.step == 0:
        _show(session, report, board, first=True)
    while session.step < session.total:
        if session.is_main and stop.pause_wanted:
            _pause(session, stop, report)
        pace.begin()

        for group in trained.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor(config.schedule, session.step, session.total)
        try:
            loss = torch.zeros((), device=accelerator.device)
            for place in range(config.memory.accumulation):
                added, batch = add_gradients(session, session.step * config.memory.accumulation + place)
                loss += added
            mean_loss, stopping = add_up(session, loss, stop.wanted())
            norm = float(torch.nn.utils.clip_grad_norm_(trained.parameters, clip))
        except torch.OutOfMemoryError as error:
            trained.optimizer.zero_grad(set_to_none=True)
            tell_full(session, error)
            raise OutOfMemory(_at(session), saved=_saved_after_all(session)) from error

        skipped = session.guard.skips(mean_loss, norm, trained.scaler.get_scale() if trained.scaler is not None else 1.0)
        try:
            if trained.scaler is not None:
                trained.scaler.step(trained.optimizer)  # skips by itself what is not finite
                trained.scaler.update()
            elif not skipped:
                trained.optimizer.step()
        except torch.OutOfMemoryError as error:  # some weights have changed, some not
            raise OutOfMemory(_at(session), saved=False) from error
        trained.optimizer.zero_grad(set_to_none=True)
        if trained.ema is not None and not skipped:
            trained.ema.update(trained.weights)
        session.step += 1

        _report(session, report, board, pace, mean_loss, norm, skipped)
        if session.guard.is_over:
            assert batch is not None
            raise NotFinite(_bad_end(session, likely_cause(config, accelerator.mixed_precision, trained, batch)))
        if session.step < session.total:
            _show(session, report, board)
            if stopping or _is_due(config.run.save_every, session.step):
                _save(session, report)
            if stopping:
                board.close()
                return "stopped"

    _show(session, report, board, last=True)
    _save(session, report)
    _finish(session, report)
    board.close()
    return "finished"


@dataclass
class _Pace:
    """How quick it is, by the last hundred steps."""

    step: int
    total: int
    began: float = 0.0
    seconds: float = 0.0  # of a step
    seen: int = 0

    def begin(self) -> None:
        """A step begins. What is drawn and saved between steps does not count."""
        self.began = time.perf_counter()

    def tell(self) -> float:
        """The step is done; how many seconds are left."""
        self.step, self.seen = self.step + 1, self.seen + 1
        self.seconds += (time.perf_counter() - self.began - self.seconds) / min(self.seen, 100)
        return self.seconds * (self.total - self.step)


def _report(session: Session, report: Report, board: Board, pace: _Pace, loss: float, norm: float, skipped: str) -> None:
    left = pace.tell()
    if not session.is_main:
        return
    rate = float(session.trained.optimizer.param_groups[0]["lr"])
    for series, value in (("loss", loss), ("learning rate", rate), ("gradient norm", norm)):
        report.point(series, session.step, value)
        board.point(series, session.step, value)
    report.progress(session.step, session.total, f"loss {loss:.4f}, {pace.seconds:.2f} s a step", left)
    if skipped:
        report.log(f"Step {session.step} {skipped}")


def _show(session: Session, report: Report, board: Board, first: bool = False, last: bool = False) -> None:
    """Samples and the validation loss, where they are due; by the weights as they would be saved."""
    run = session.config.run
    samples = run.sample_first if first else last or _is_due(run.sample_every, session.step)
    validates = first or last or _is_due(run.validate_every, session.step)
    if session.is_main and ((samples and run.samples) or (validates and len(session.batches.validation))):
        with session.trained.in_use():
            if samples and run.samples:
                draw_samples(session, report)
            if validates:
                _measure(session, report, board)


def _measure(session: Session, report: Report, board: Board) -> None:
    try:
        measure(session, report, board)
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(f"while measuring after step {session.step}", saved=_saved_after_all(session)) from error


def _save(session: Session, report: Report) -> None:
    """The LoRA file first: whoever is ended in between makes it again, and loses none."""
    if session.is_main:
        report.progress(session.step, session.total, "saving")
        save_file(session)
        save_state(session.folder / "states", session.trained, session.position, session.config.run.keep_states)
        if session.config.run.plot:
            draw_loss(session.folder, report)


def _finish(session: Session, report: Report) -> None:
    if session.is_main:
        for file in finish(session, report.log):
            report.log(f"Finished: {file.name}")
            report.value("file", file=str(file), steps=session.step)


def _pause(session: Session, stop: Stop, report: Report) -> None:
    if session.step:
        _save(session, report)
    report.progress(session.step, session.total, "paused")
    stop.wait()


def _at(session: Session) -> str:
    return f"at step {session.step + 1}"


def _saved_after_all(session: Session) -> bool:
    """The state before the step that did not fit; nothing has changed since."""
    if session.is_main:
        save_state(session.folder / "states", session.trained, session.position, session.config.run.keep_states)
    return True


def _bad_end(session: Session, cause: str) -> str:
    count = session.guard.bad_steps
    good = all(bool(torch.isfinite(weight).all()) for weight in session.trained.weights.values())
    if good and session.is_main:
        save_state(session.folder / "states", session.trained, session.position, session.config.run.keep_states)
    where = f"The weights before them are saved as step {session.step}" if good else "The last saved state is good"
    return (
        f"{count} steps in a row had a loss that is no number. The likely cause: {cause}. {where}; with a correction it goes on from there."
    )


def _is_due(every: int, step: int) -> bool:
    return bool(every) and step % every == 0
