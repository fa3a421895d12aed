"""Which command does `python -m trainer COMMAND CONFIG [name=value ...]` carry out? COMMANDS lists them; each is imported when asked for.

A command's module has `run(arguments, report) -> int`, whose result is the exit status: 0 done, 3 stopped early in good order.
An error of ours is told as an event, status 2; what else goes wrong is told in one sentence, status 1, in full with ATELIER_TRACE=1.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from lib_extension.spec.errors import AtelierError, near_miss
from trainer.report import Report

BAD_INPUT, FAILED, STOPPED = 2, 1, 3


@dataclass(frozen=True)
class Command:
    """The module that carries it out, and what it does in a line."""

    module: str
    does: str


COMMANDS = {
    "train": Command("trainer.train", "train a LoRA; on a run's folder, go on where it was"),
    "estimate": Command("trainer.estimate", "memory, disk and time of a training, before anything is loaded"),
    "check": Command("trainer.check", "every mistake of a configuration, its pictures and its models at once"),
    "prepare": Command("trainer.dataset.prepare_command", "what is wrong with a folder of pictures; with into, a prepared copy of it"),
    "caption": Command("trainer.captioners.caption_command", "a caption for each picture of a folder"),
    "captions": Command("trainer.dataset.captions_command", "a folder's captions counted, edited, taken back, brought from and to others"),
    "merge": Command("trainer.merging.merge", "several LoRAs become one"),
    "bake": Command("trainer.merging.bake", "LoRAs, or another checkpoint, become part of a checkpoint"),
    "extract": Command("trainer.merging.extract", "the difference of two checkpoints becomes a LoRA"),
    "resize": Command("trainer.merging.resize", "a LoRA gets lower ranks"),
    "convert": Command("trainer.merging.convert", "a LoRA gets other names, another precision, or another type"),
    "inspect": Command("trainer.merging.inspect", "what is in a LoRA or a checkpoint"),
}


def main(arguments: Sequence[str], report: Report | None = None) -> int:
    """The exit status."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before any Hugging Face package is imported: nothing is fetched unasked
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    logging.getLogger("bitsandbytes.backends.cpu").setLevel(logging.ERROR)  # else it advises to install what would come from a hub
    report = report or Report(sys.stdout)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        report.text(usage())
        return 0
    name, rest = arguments[0], arguments[1:]
    if name not in COMMANDS:
        report.error(f'There is no command "{name:.40}".{near_miss(name, COMMANDS)} Known: {", ".join(COMMANDS)}.', "BadRequest")
        return BAD_INPUT
    try:
        return module_of(name).run(rest, report)
    except AtelierError as error:
        report.error(str(error), type(error).__name__)
        return BAD_INPUT if error.status < 500 else FAILED
    except KeyboardInterrupt:
        report.error("Interrupted.", "Interrupted")
        return STOPPED
    except Exception as error:
        return _told(error, report)


def module_of(name: str) -> ModuleType:
    """The module that carries out a command.

    What torch and its like make while they are imported stays for good. To look through it for garbage again and again takes a quarter of
    the import's time, and later some of every step's.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        return import_module(COMMANDS[name].module)
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def usage() -> str:
    """What stands under --help."""
    width = max(map(len, COMMANDS))
    lines = (f"  {name:{width}}  {command.does}" for name, command in COMMANDS.items())
    return "python -m trainer COMMAND CONFIG [name=value ...]\n\n" + "\n".join(lines)


def _told(error: Exception, report: Report) -> int:
    """A failure that nobody foresaw, in one line."""
    if os.environ.get("ATELIER_TRACE"):
        traceback.print_exc()
    first = (str(error).strip().splitlines() or ["no reason given"])[0]
    report.error(f"{type(error).__name__}: {first} (ATELIER_TRACE=1 in the environment shows where.)", type(error).__name__)
    return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
