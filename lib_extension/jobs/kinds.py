"""Which kinds of jobs are there? KINDS lists them: what each may be told, and the program that does it.

A program gets a JSON file with its settings, and prints JSON lines (account.py says which). It ends early, in good order, when the file
that ATELIER_STOP_FILE names is there; what it takes longer than `patience` seconds then is cut off. Pictures go into the folder `files`
beside its settings.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal

from lib_extension.jobs.dataset import DATASET
from lib_extension.jobs.kind import JobKind
from lib_extension.jobs.merging import MERGING
from lib_extension.jobs.training import TRAINING
from lib_extension.setup.standing import index_of
from lib_extension.spec.settings import Settings, field

__all__ = ["KINDS", "JobKind"]


@dataclass(frozen=True)
class WorkerSettings(Settings):
    """What is to be done with the worker's environment."""

    action: Literal["make", "update", "remove"] = field(label="What to do")
    torch: str = field(
        "", label="Build of torch", help="cpu, or a CUDA or ROCm such as cu128 or rocm6.4; empty: the usual one.", advanced=True
    )

    def check(self) -> None:
        """BadRequest where no such build can be."""
        index_of(self.torch)


_WORKER_TITLES = {
    "make": "Make the worker's environment",
    "update": "Update the worker's environment",
    "remove": "Remove the worker's environment",
}

KINDS: dict[str, JobKind] = {
    "worker": JobKind(
        settings=WorkerSettings,
        title=lambda settings: _WORKER_TITLES[settings.action],
        # By the Python that this is: the worker's own cannot replace itself.
        command=lambda environment, config: [sys.executable, "-m", "lib_extension.setup.job", str(config), str(environment.folder)],
        patience=0.0,  # what is half made is known as such, and made anew
    ),
    **TRAINING,
    **MERGING,
    **DATASET,
}
