"""What lies in a run's folder, and when may a run go on in one that is there already?

config.json (frozen), events.jsonl, samples/, states/, loss.png, the LoRA files; `stop` and `pause` are files that somebody puts there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib_extension.formats.lock import Lock
from lib_extension.spec.errors import BadFile, BadRequest, Busy, NotFound
from lib_extension.spec.settings import from_json, to_json
from lib_extension.spec.training import TrainingConfig
from trainer.config_file import read_config, read_file
from trainer.data.kohya import with_dataset_file
from trainer.data.resolution import with_resolution
from trainer.report import Report
from trainer.written import ASIDE, settle, write_bytes

CONFIG = "config.json"
_LOCK = "lock"
# What may differ from the run that is there: how long it is, what it leaves behind, and what gives the same LoRA in less memory.
_FREE = ("run.steps", "run.epochs", "run.save_every", "run.keep_", "run.sample", "run.validate_every", "run.tensorboard", "run.plot")
_FREE += ("run.bad_steps", "memory.gradient_checkpointing", "memory.parts", "memory.auto_memory", "memory.attention", "memory.compile")
_FREE += ("memory.threads", "memory.device", "memory.precision", "memory.base", "output.", "data.cache_", "evaluation.")


@dataclass
class RunFolder:
    """The folder of one run, held by this process alone."""

    path: Path
    config: TrainingConfig
    _lock: Lock | None = None

    @property
    def states(self) -> Path:
        return self.path / "states"

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    @property
    def stop_file(self) -> Path:
        return self.path / "stop"

    @property
    def pause_file(self) -> Path:
        return self.path / "pause"

    @property
    def is_held(self) -> bool:
        """Whether this process writes."""
        return self._lock is not None

    def freeze(self, config: TrainingConfig) -> None:
        """Write down what the run is now told."""
        self.config = config
        if not self.is_held:
            return
        text = json.dumps(to_json(config), indent=2, ensure_ascii=False) + "\n"
        write_bytes(self.path / CONFIG, text.encode())

    def close(self) -> None:
        """Leave it to others."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def asked(arguments: Sequence[str], report: Report) -> tuple[TrainingConfig, Path]:
    """What `train CONFIG [name=value ...]` asks for, and its run's folder; CONFIG may be a run's folder itself."""
    config = with_whole_paths(from_json(TrainingConfig, asked_values(arguments, report)))
    if arguments and Path(arguments[0]).is_dir():
        return config, Path(arguments[0]).resolve()
    return config, Path(config.output.folder) / config.name


def asked_values(arguments: Sequence[str], report: Report) -> dict[str, Any]:
    """As asked, not yet checked, with what a dataset file that it names says, and the base model's resolution where none is said."""
    if arguments and Path(arguments[0]).is_dir():
        folder = Path(arguments[0])
        if not (folder / CONFIG).is_file():
            raise NotFound(f'The folder "{folder.name}" holds no {CONFIG}, so it is no run\'s.')
        arguments = [str(folder / CONFIG), *arguments[1:]]
    values = read_config(arguments)
    for note in (*with_dataset_file(values), *with_resolution(values)):
        report.log(note)
    return values


def with_whole_paths(config: TrainingConfig) -> TrainingConfig:
    """The same from wherever it is read again: relative paths are meant from where the command was given."""

    def whole(path: str) -> str:
        return str(Path(path).expanduser().resolve()) if path else path

    def if_there(path: str) -> str:  # a name such as "demo" stays
        return whole(path) if Path(path).expanduser().exists() else path

    concepts = tuple(
        replace(one, folder=whole(one.folder), masks=whole(one.masks), metadata=whole(one.metadata)) for one in config.data.concepts
    )
    return replace(
        config,
        model=replace(
            config.model, checkpoint=if_there(config.model.checkpoint), vae=if_there(config.model.vae) if config.model.vae else ""
        ),
        data=replace(config.data, concepts=concepts, cache_folder=whole(config.data.cache_folder)),
        network=replace(config.network, start_from=if_there(config.network.start_from) if config.network.start_from else ""),
        evaluation=replace(config.evaluation, tagger=if_there(config.evaluation.tagger) if config.evaluation.tagger else ""),
        output=replace(config.output, folder=whole(config.output.folder), lora_folder=whole(config.output.lora_folder)),
    )


def check_run(config: TrainingConfig) -> None:
    """BadRequest where the run's folder cannot be its own; touches nothing."""
    folder = (Path(config.output.folder).expanduser() / config.name).resolve()
    _refuse_strange(folder)
    if (folder / CONFIG).is_file():
        _refuse_other(folder, config)


def open_run(config: TrainingConfig, folder: Path, is_main: bool = True) -> RunFolder:
    """The folder, made or found, with `config` frozen in it. BadRequest where another run is in it, Busy where one is at work there.

    Of several processes that train together, the main one alone holds it and writes.
    """
    if not is_main:
        return RunFolder(folder, config)
    _refuse_strange(folder)
    run = RunFolder(folder, config, _locked(folder))
    try:
        if (folder / CONFIG).is_file():
            _refuse_other(folder, config)
        run.freeze(config)
        run.states.mkdir(exist_ok=True)
        _clean(run)
    except BaseException:
        run.close()
        raise
    return run


def same_run(one: TrainingConfig, other: TrainingConfig) -> list[str]:
    """What differs between two configurations that must not within one run: the paths of the fields."""
    found, held = dict(_leaves(to_json(one))), dict(_leaves(to_json(other)))
    names = [name for name in {**found, **held} if found.get(name) != held.get(name)]
    return [name for name in names if not name.startswith(_FREE)]


def _refuse_strange(folder: Path) -> None:
    """A run that could not even write down its configuration, as on a full disk, left a lock and perhaps a part."""
    if folder.is_file() or (folder.is_dir() and not (folder / CONFIG).is_file() and not all(map(_is_beginning, folder.iterdir()))):
        raise BadRequest(f'There is a "{folder.name}" that is no run\'s folder. Take another name, or another output.folder.')


def _is_beginning(path: Path) -> bool:
    return path.name == _LOCK or path.suffix == ASIDE


def _refuse_other(folder: Path, config: TrainingConfig) -> None:
    try:
        held = from_json(TrainingConfig, read_file(folder / CONFIG))
    except (BadRequest, BadFile) as error:
        raise BadRequest(f'The run "{folder.name}" that is there cannot go on: {error} Take another name.') from error
    if different := same_run(held, config):
        shown = ", ".join(different[:5]) + (" …" if len(different) > 5 else "")
        raise BadRequest(f'There is a run "{folder.name}" already, with another {shown}. Take another name for this one.')


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    else:
        yield path, value


def _locked(folder: Path) -> Lock:
    lock = Lock(folder / _LOCK)
    if not lock.take():
        raise Busy(f'The run "{folder.name}" is at work in another process. Stop that first, or take another name.')
    return lock


def _clean(run: RunFolder) -> None:
    """What a process that was ended left half done, and what told it to stop."""
    settle(run.path)
    settle(run.states)
    run.stop_file.unlink(missing_ok=True)
