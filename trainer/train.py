"""`python -m trainer train CONFIG|RUN_FOLDER [name=value ...]`: trains a LoRA, or goes on with a run where it was."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path

import torch
from accelerate import Accelerator

from lib_extension.spec.training import TrainingConfig
from trainer.checkpoint import saved_states
from trainer.device import check_processes, make_accelerator
from trainer.loop import Ending, train
from trainer.report import Report
from trainer.run_folder import RunFolder, asked, open_run
from trainer.savings import OutOfMemory, message, saved_by_itself
from trainer.session import Session, prepare
from trainer.stop import Stop

DONE, STOPPED = 0, 3


def run(arguments: Sequence[str], report: Report) -> int:
    """The exit status: 0 finished, 3 stopped with everything saved."""
    config, path = asked(arguments, report)
    accelerator = make_accelerator(config.memory)
    check_processes(config.memory, accelerator.num_processes)
    if not accelerator.is_main_process:
        report = Report(out=None)
    folder = open_run(config, path, is_main=accelerator.is_main_process)
    accelerator.wait_for_everyone()
    try:
        if folder.is_held:
            report.into(path)
        with Stop(folder) as stop:
            ending = _until_it_fits(folder, accelerator, stop, report)
        if ending == "stopped":
            states = saved_states(folder.states)
            told = f"after step {states[-1][0]}; everything is saved" if states else "before the first step; what is encoded already stays"
            report.log(f"Stopped {told}. It goes on with: python -m trainer train {path}")
            accelerator.wait_for_everyone()  # a process that ended now would have its launcher end the one that still saves
        return DONE if ending == "finished" else STOPPED
    finally:
        report.close()
        folder.close()


def _until_it_fits(folder: RunFolder, accelerator: Accelerator, stop: Stop, report: Report) -> Ending:
    """Trains; where memory runs out and it may, with what saves some."""
    while True:
        try:
            return _once(folder.config, folder.path, accelerator, stop, report)
        except OutOfMemory as error:
            smaller = saved_by_itself(folder.config) if folder.config.memory.auto_memory else None
            if smaller is None:
                error.args = (message(error, folder.config),)
                raise
            happened = str(error)
        # What the failed attempt held is let go of with its error, before anything is loaded anew.
        config, saving = smaller
        report.log(f"{happened} It goes on with {saving.setting}={saving.value}: {saving.cost}.")
        folder.freeze(config)
        gc.collect()
        if accelerator.device.type == "cuda":
            torch.cuda.empty_cache()


def _once(config: TrainingConfig, path: Path, accelerator: Accelerator, stop: Stop, report: Report) -> Ending:
    try:
        session = prepare(config, path, accelerator, report, stop.wanted)
    except torch.OutOfMemoryError as error:
        raise OutOfMemory("before the first step", saved=False) from error
    if session is None:
        return "stopped"
    with session.batches:
        ending = train(session, stop, report)
        if ending == "finished" and session.is_main and config.evaluation.on:
            _compare(session, stop, report)
        return ending


def _compare(session: Session, stop: Stop, report: Report) -> None:
    """The saves. The LoRA is done and written: whatever fails here is told, and harms nothing."""
    try:
        from trainer.evaluation.evaluate import evaluate  # here, as no start should wait for what is needed at the end

        if evaluate(session, report, stop.wanted) is None:
            report.log("The saves were not compared to the end, as it was to stop. The LoRA is finished.")
    except Exception as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        report.log(f"The saves could not be compared ({type(error).__name__}): {reason} The LoRA is finished all the same.")
