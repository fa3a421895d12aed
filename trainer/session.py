"""What does a training hold while it is at work, and how does all of it come about?

In this order, so that the most memory is needed by the training itself: pictures are looked at, caches filled, encoders let go, the U-Net
loaded, the network put on it, the optimizer tried, and the newest state put in.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from accelerate import Accelerator
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.models.single_file import Left
from lib_extension.spec.training import TrainingConfig
from lib_extension.spec.training.data import DataSettings
from trainer import networks
from trainer.base_model import BaseModel, find_base
from trainer.checkpoint import Position, load_state, saved_states
from trainer.data.batches import Batches
from trainer.data.caches import Process
from trainer.data.examples import Found, find_examples
from trainer.device import in_any, placement
from trainer.ema import Ema
from trainer.encoders import LateEncoders
from trainer.families import FAMILIES, Family
from trainer.guard import Guard
from trainer.networks.network import Group
from trainer.optimizers import make_optimizer
from trainer.plot import SERIES, read_points
from trainer.report import EVENTS, Report
from trainer.samples import Sampler
from trainer.step import Noising, noising
from trainer.trained import Trained

_MOST_BEFORE = 400  # points of a series that are told again


class _Stopped(Exception):
    """It is to end while the caches are filled."""


@dataclass
class Session:
    """A training at work: what stays, and how far it is."""

    config: TrainingConfig
    folder: Path
    accelerator: Accelerator
    family: Family
    trained: Trained
    noising: Noising
    batches: Batches
    sampler: Sampler
    data: str  # fingerprint of the pictures
    guard: Guard
    total: int  # steps
    step: int = 0  # that are done
    started: float = field(default_factory=time.time)  # seconds since 1970; of the run, not of this process
    is_webui_away: bool = False  # the one that draws samples: it let us wait in vain

    @property
    def checkpoint(self) -> Checkpoint:
        return self.trained.checkpoint

    @property
    def is_main(self) -> bool:
        """Whether this process reports and saves, of several."""
        return self.accelerator.is_main_process

    @property
    def epoch(self) -> int:
        """Epochs that are done."""
        return self.step * self.config.memory.accumulation // self.batches.steps_per_epoch

    @property
    def position(self) -> Position:
        return Position(self.step, self.guard.bad_steps, self.trained.ema.steps if self.trained.ema else 0, self.data, self.started)


def prepare(config: TrainingConfig, folder: Path, accelerator: Accelerator, report: Report, stopped: Callable[[], bool]) -> Session | None:
    """Everything loaded, and the newest state of the run's folder put in. None where it was to end before there was anything to train."""
    cache_folder = cache_folder_of(config)
    data = data_settings(config)
    base = find_base(config.model, placement(accelerator, config.memory), cache_folder)
    found = found_examples(data, cache_folder, report)
    late = LateEncoders(base, cache_folder)

    def told(what: str, done: int, total: int) -> None:
        report.progress(done, total, f"{what} encoded")
        if stopped():
            raise _Stopped

    process = Process(accelerator.process_index, accelerator.num_processes)
    try:
        batches = Batches(found, data, late.for_caches(), seed=config.run.seed, cache_folder=cache_folder, process=process, told=told)
    except _Stopped:
        batches = None
    if in_any(accelerator, batches is None or stopped()) or batches is None:
        return None
    sampler = Sampler(config, base, late if accelerator.is_main_process else None)
    late.release()
    report.log(f"{len(found.examples)} pictures, {batches.steps_per_epoch} batches an epoch. Loading {base.found.path.name}.")
    checkpoint = _loaded(base, config, data)
    trained = _trained(config, checkpoint, accelerator, report)
    session = Session(
        config=config,
        folder=folder,
        accelerator=accelerator,
        family=FAMILIES[checkpoint.family],
        trained=trained,
        noising=noising(checkpoint.noise, config.loss, config.model.prediction),
        batches=batches,
        sampler=sampler,
        data=fingerprint(found),
        guard=Guard(config.run.bad_steps),
        total=steps_of(config, batches.steps_per_epoch),
    )
    _go_on(session, report)
    return session


def cache_folder_of(config: TrainingConfig) -> Path:
    """Where caches lie: as said, or beside the runs."""
    return Path(config.data.cache_folder or Path(config.output.folder) / "cache").expanduser().resolve()


def data_settings(config: TrainingConfig) -> DataSettings:
    """The settings, with captions encoded anew each time where the encoder learns."""
    learns = config.network.text_encoder or config.network.text_encoder_2
    return replace(config.data, cache_text=config.data.cache_text and not learns)


def found_examples(data: DataSettings, cache_folder: Path, report: Report) -> Found:
    """What is there to train on; BadRequest with all that is wrong."""
    cache_folder.mkdir(parents=True, exist_ok=True)
    found = find_examples(data, cache_folder)
    found.refuse_if_bad()
    for line in found.lines():
        report.log(line)
    return found


def steps_of(config: TrainingConfig, steps_per_epoch: int) -> int:
    """How many steps a run has."""
    if config.run.epochs is None:
        return config.run.steps
    return -(-config.run.epochs * steps_per_epoch // config.memory.accumulation)


def fingerprint(found: Found) -> str:
    """Of what is trained on: pictures, captions, masks, and how often each is seen."""
    digest = hashlib.sha256()
    for one in found.examples:
        told = (one.name, one.sha256, one.caption, one.mask_sha256, one.concept.kind, one.concept.repeats, one.concept.weight)
        digest.update(repr(told).encode())
    return digest.hexdigest()[:16]


def frozen_modules_left_out(config: TrainingConfig, data: DataSettings) -> Iterable[Left]:
    """What the steps themselves have no use for."""
    if data.cache_latents:
        yield "vae"
    if data.cache_text:
        yield "text"


def _loaded(base: BaseModel, config: TrainingConfig, data: DataSettings) -> Checkpoint:
    checkpoint = base.load(leave_out=tuple(frozen_modules_left_out(config, data)))
    if config.memory.base != "as precision":
        from trainer.frozen import check_base, quantise  # here, as only those who ask for it should wait for bitsandbytes

        check_base(config.memory.base, config.network)
        quantise(checkpoint, config.memory.base)
    return checkpoint


def _trained(config: TrainingConfig, checkpoint: Checkpoint, accelerator: Accelerator, report: Report) -> Trained:
    groups = networks.attach(checkpoint, config.network, config.run.seed)
    if config.network.start_from:
        modules = networks.load_into(checkpoint, config.network, Path(config.network.start_from).expanduser())
        report.log(f"Started from {Path(config.network.start_from).name}: {modules} modules.")
    _make_ready(config, checkpoint, accelerator)
    optimizer, note = make_optimizer(config.optimizer, groups)
    if note:
        report.log(note)
    parameters = _parameters(groups)
    report.log(f"{sum(one.numel() for one in parameters):,} values are trained in {len(parameters)} tensors.")
    trained = Trained(checkpoint, optimizer, parameters, accelerator.scaler)
    if config.run.ema:
        trained.ema = Ema(config.run.ema, trained.weights)
    return trained


def _make_ready(config: TrainingConfig, checkpoint: Checkpoint, accelerator: Accelerator) -> None:
    """What of the model's own changes while it is trained."""
    learning = [encoder for encoder in checkpoint.text_encoders if any(one.requires_grad for one in encoder.parameters())]
    for network in (checkpoint.unet, *learning):
        network.train()  # without it, gradient checkpointing does nothing; there is no dropout in it but the network's
    if config.memory.gradient_checkpointing:
        checkpoint.unet.enable_gradient_checkpointing()
        for encoder in learning:
            encoder.gradient_checkpointing_enable()
    if accelerator.mixed_precision != "no" and config.network.kind == "lora":
        # Autocast brings weights to the inputs' precision; peft would first copy each input to the weights'.
        for module in checkpoint.unet.modules():
            if isinstance(module, BaseTunerLayer):
                module.cast_input_dtype_enabled = False  # pyright: ignore[reportArgumentType] - a plain attribute
    if config.memory.compile:
        checkpoint.unet.compile()


def _parameters(groups: Iterable[Group]) -> tuple[nn.Parameter, ...]:
    return tuple(parameter for group in groups for parameter in group.parameters)


def _go_on(session: Session, report: Report) -> None:
    """From the newest state, if there is one."""
    states = saved_states(session.folder / "states")
    if not states:
        return
    position = load_state(states[-1][1], session.trained)
    session.step, session.guard.bad_steps, session.started = position.step, position.bad_steps, position.started
    report.log(f"Going on from step {position.step} of {session.total}.")
    if session.is_main:
        _tell_before(session, report)
    if position.data != session.data:
        report.log("The pictures or captions are others than when the run began: it goes on with those that are there now.")


def _tell_before(session: Session, report: Report) -> None:
    """The points until now, evenly fewer where there are many: whoever plots what this process tells sees the whole run."""
    events = session.folder / EVENTS
    for series, points in read_points(events, SERIES).items() if events.is_file() else ():
        known = [(x, y) for x, y in points.items() if x <= session.step]
        for x, y in known[:: -(-len(known) // _MOST_BEFORE) or 1]:
            report.point_before(series, x, y)
