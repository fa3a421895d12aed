"""What is known of a kind of jobs? What its jobs may be told, the program that does them, and how that is stopped and watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_extension.setup.environment import Environment


@dataclass(frozen=True)
class Around:
    """What jobs may know of where they are added."""

    folder: Path  # what is kept when a job is forgotten goes below it
    models: Path | None = None  # a WebUI's folder of models
    roots: tuple[Path, ...] | None = None  # folders that may be read and written; None: any, as only this machine is served
    further: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)  # "loras" and "checkpoints" in other folders than below `models`


def _as_told(settings: Any, around: Around) -> Any:
    return settings


@dataclass(frozen=True)
class JobKind:
    """One kind."""

    settings: type[Any]
    title: Callable[[Any], str]  # of settings; in English, as the tab's words are looked up
    command: Callable[[Environment, Path], Sequence[str]]  # by the worker's environment and the file with the settings
    patience: float = 30.0
    is_aside: bool = False  # takes a moment and little memory, so that it need not wait for the others
    fill: Callable[[Any, Around], Any] = _as_told  # settings, with what follows from where the job is added; BadRequest
    # Of a config: the folder of what it makes, where that outlives the job. A file `pause` there makes the program wait, a file `stop`
    # ends it in good order, however long that takes; it then ends with the status `stopped`.
    run_folder: Callable[[Mapping[str, Any]], Path] | None = None
    stopped: int | None = None
    makes_models: bool = False  # that backends find where they look for theirs
    needs: Callable[[Mapping[str, Any]], int] | None = None  # bytes of the GPU's memory, about; 0: it does not work there
