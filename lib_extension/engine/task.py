"""How does a request become pictures, whatever makes their latents?

``start`` loads what is asked for, ``make_batches`` runs the batches, and the texts that tell of them are written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from lib_extension.engine.asked import Asked, understand
from lib_extension.engine.conditioning import Conditioning
from lib_extension.engine.control import Source, Target, Units, Workshop, check_units, facts_of, make_ready
from lib_extension.engine.denoise import Guidance, Rows
from lib_extension.engine.engine import Engine, Loaded
from lib_extension.engine.latents import PIXELS
from lib_extension.engine.loras import Prompt, read_prompt
from lib_extension.engine.noise import PictureNoise, Seeds
from lib_extension.engine.options import Options
from lib_extension.engine.samplers import Choice
from lib_extension.engine.sampling import Tools
from lib_extension.engine.tiling import tiled
from lib_extension.models.library import Found
from lib_extension.models.lora import apply
from lib_extension.spec.controlnet import read_units
from lib_extension.spec.errors import AtelierError, NotFound
from lib_extension.spec.sdapi import Generation

MOST_UNITS = 3


@dataclass
class Task:
    """A request in work. ``facts`` become ``extra_generation_params``; they are filled while it goes on, in the WebUI's order."""

    engine: Engine
    asked: Asked
    loaded: Loaded
    vae: Found | None
    prompt: Prompt
    batch_size: int
    units: Units = field(default_factory=Units)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def tools(self) -> Tools:
        return Tools(self.loaded.checkpoint, self.loaded.levels, self.engine.progress, self.loaded.colours)

    def texts(self, positive: Prompt, negative: str, choice: Choice, steps: int, base_steps: int | None = None) -> Texts:
        """Both prompts encoded for every picture of a batch, with the LoRAs of the positive one in place."""
        checkpoint, asked = self.loaded.checkpoint, self.asked
        try:
            apply(checkpoint, positive.loras)
        except AtelierError:
            if not asked.lenient:
                raise
            apply(checkpoint, ())  # The WebUI's answer is the picture without any effect of LoRAs.
        settings: dict[str, Any] = {
            "steps": choice.sampler.total_evaluations(steps),
            "clip_skip": asked.clip_skip,
            "emphasis": str(asked.options["emphasis"]),
            "base_steps": base_steps,
            "loras": positive.key,
        }
        encode = self.loaded.text.encode
        return Texts(encode([positive.text] * self.batch_size, **settings), encode([negative] * self.batch_size, negative=True, **settings))

    def guidance(self, texts: Texts, choice: Choice, size: tuple[int, int], *, hires: bool = False) -> Guidance:
        """How the request guides a sampling by ``choice`` at ``size`` (width, height) in px; nothing in it is kept or hidden."""
        request = self.asked.request
        return Guidance(
            rows=texts.rows,
            cfg_scale=request.cfg_scale * choice.sampler.cfg_multiplier,
            size=(size[1], size[0]),
            control=self.units.control(hires=hires),
            least_sigma=request.s_min_uncond or 0.0,
        )


@dataclass(frozen=True)
class Texts:
    positive: Conditioning
    negative: Conditioning

    def rows(self, evaluation: int) -> Rows:
        return Rows(self.positive.at(evaluation), self.negative.at(evaluation))


@dataclass(frozen=True)
class Batch:
    """One turn: its number, and the seeds of its pictures."""

    number: int
    seeds: Seeds

    def noise(self, shape: tuple[int, ...]) -> PictureNoise:
        """Fresh generators; ``shape`` is that of one latent, (C, h, w)."""
        return PictureNoise(shape, self.seeds)


@contextmanager
def started(engine: Engine, request: Generation, job: str, jobs_per_batch: int = 1) -> Iterator[Task]:
    """Checks the request, loads its checkpoint and VAE, and reports the task's beginning and end."""
    options = _options(engine, request)
    asked = understand(request, options, lenient=engine.lenient)
    prompt = read_prompt(request.prompt, engine.library, disabled=request.disable_extra_networks, lenient=engine.lenient)
    engine.progress.begin(request.force_task_id, job)
    try:
        engine.progress.plan_jobs(request.n_iter * jobs_per_batch, int(options["show_progress_every_n_steps"]))
        loaded = engine.checkpoint(options["sd_model_checkpoint"])
        vae = engine.use_vae(loaded, _vae_name(engine, options))
        task = Task(engine, asked, loaded, vae, prompt, request.batch_size)
        networks = [loaded.checkpoint.unet, loaded.checkpoint.vae]
        with torch.no_grad(), tiled(networks, asked.tiling):
            yield task
    finally:
        engine.progress.finish()


def use_units(task: Task, hires: tuple[int, int] | None = None, source: Source | None = None) -> None:
    """Makes the request's ControlNet units ready. Lenient does without any where one fails, as the WebUI does."""
    engine, asked = task.engine, task.asked
    units = [unit for unit in read_units(asked.request.alwayson_scripts).units if unit.enabled]
    target = Target((asked.width, asked.height), hires, source)
    if not asked.lenient:
        check_units(units, target, most=MOST_UNITS)
    units = units[:MOST_UNITS]
    facts = facts_of(units, lenient=asked.lenient)
    checkpoint = task.loaded.checkpoint
    workshop = Workshop(
        engine.annotators, lambda name: engine.controlnet(engine.library.controlnet(name), checkpoint), checkpoint.device, asked.lenient
    )
    try:
        if asked.lenient:
            check_units(units, target, most=MOST_UNITS)
        task.units = Units(make_ready(units, target, workshop))
    except AtelierError:
        if not asked.lenient:
            raise
    task.facts |= facts


def latent_shape(task: Task, width: int, height: int) -> tuple[int, int, int]:
    """(C, h, w) of one picture's latent."""
    return int(task.loaded.checkpoint.vae.config["latent_channels"]), height // PIXELS, width // PIXELS


def _options(engine: Engine, request: Generation) -> Options:
    """The options of this call. The WebUI, and so lenient, forgets an override of a checkpoint that is not there."""
    overrides = dict(request.override_settings or {})
    if engine.lenient and "sd_model_checkpoint" in overrides:
        try:
            engine.library.checkpoint(str(overrides["sd_model_checkpoint"]))
        except NotFound:
            del overrides["sd_model_checkpoint"]
    return engine.options.with_overrides(overrides)


def _vae_name(engine: Engine, options: Options) -> str:
    name = str(options["sd_vae"])
    if not engine.lenient or name in ("Automatic", "None"):
        return name
    try:
        return engine.library.vae(name).file
    except NotFound:
        return "Automatic"


def takes_inpainting(task: Task) -> bool:
    """Whether the checkpoint is an inpainting model, whose U-Net is shown mask and picture beside the latent."""
    return int(task.loaded.checkpoint.unet.config["in_channels"]) == 9
