"""How does a request become pictures, whatever makes their latents?

``start`` loads what is asked for, ``make_batches`` runs the batches, and the texts that tell of them are written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from PIL import Image

from lib_extension.engine.asked import Asked, understand
from lib_extension.engine.conditioning import Conditioning
from lib_extension.engine.control import Source, Target, Units, Workshop, check_units, facts_of, make_ready
from lib_extension.engine.denoise import Rows
from lib_extension.engine.engine import Engine, Loaded
from lib_extension.engine.generated import VERSION, Generated, Info
from lib_extension.engine.latents import PIXELS, decode
from lib_extension.engine.loras import Prompt, read_prompt
from lib_extension.engine.noise import PictureNoise, Seeds
from lib_extension.engine.options import Options
from lib_extension.engine.samplers import Choice
from lib_extension.engine.sampling import Sampled, Tools
from lib_extension.engine.tiling import tiled
from lib_extension.formats.infotext import GenerationFacts, write_infotext
from lib_extension.models.library import Found
from lib_extension.models.lora import apply
from lib_extension.pictures.grid import image_grid
from lib_extension.spec.controlnet import read_units
from lib_extension.spec.errors import AtelierError, Interrupted, NotFound
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


Sampler = Callable[[Batch], Sampled]
Finish = Callable[[list[Image.Image]], list[Image.Image]]


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


def make_batches(task: Task, sample: Sampler, finish: Finish = lambda pictures: pictures) -> Generated:
    """Runs every batch. Strict raises Interrupted for a task that was stopped, and leaves out batches that were skipped."""
    asked, progress = task.asked, task.engine.progress
    if task.prompt.hashes is not None:
        task.facts["Lora hashes"] = task.prompt.hashes
    pictures: list[Image.Image] = []
    made: list[int] = []
    for number in range(asked.request.n_iter):
        if progress.interrupted:
            break
        progress.batch(f"Batch {number + 1} out of {asked.request.n_iter}" if asked.request.n_iter > 1 else "")
        places = range(number * task.batch_size, (number + 1) * task.batch_size)
        sampled = sample(Batch(number, _seeds(task, places)))
        skipped = sampled.stopped is not None and sampled.stopped.skipped
        if asked.lenient or sampled.stopped is None:
            decoded = decode(task.loaded.checkpoint.vae, sampled.latents)
            pictures += finish(task.units.finish(decoded))
            made += places
        elif not skipped:
            break
        progress.next_job()
    if not asked.lenient and (progress.interrupted or not made):
        raise Interrupted(f"The task was interrupted; {len(made)} of its {len(asked.seeds)} pictures were finished.")
    return _told(task, pictures, made)


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


def _seeds(task: Task, places: range) -> Seeds:
    asked, request = task.asked, task.asked.request
    resized = request.seed_resize_from_h > 0 and request.seed_resize_from_w > 0
    return Seeds(
        seeds=asked.seeds[places.start : places.stop],
        subseeds=asked.subseeds[places.start : places.stop],
        subseed_strength=request.subseed_strength,
        resize_from=(request.seed_resize_from_h, request.seed_resize_from_w) if resized else None,
        later_offset=int(asked.options["eta_noise_seed_delta"] or 0),
    )


def _told(task: Task, pictures: list[Image.Image], made: list[int]) -> Generated:
    asked, request = task.asked, task.asked.request
    facts = _common_facts(task)
    infotexts = [write_infotext(replace(facts, seed=asked.seeds[i], variation_seed=_variation_seed(asked, i))) for i in made]
    images = list(pictures)
    gridded = request.save_images and bool(asked.options["return_grid"]) and len(pictures) > 1
    if gridded:
        rows = int(asked.options["n_rows"])
        images.insert(0, image_grid(pictures, rows if rows > 0 else task.batch_size if rows == 0 else None))
        infotexts.insert(0, write_infotext(facts))
    if not infotexts:
        infotexts.append(write_infotext(facts))
    return Generated([*images, *task.units.pictures], infotexts, _info(task, infotexts, made, first=int(gridded)))


def _variation_seed(asked: Asked, i: int) -> int | None:
    return asked.subseeds[i] if asked.request.subseed_strength else None


def _common_facts(task: Task) -> GenerationFacts:
    """Of the first picture; the others differ in their seeds."""
    asked, request, found = task.asked, task.asked.request, task.loaded.found
    options, varied = asked.options, asked.request.subseed_strength != 0
    resized = request.seed_resize_from_h > 0 and request.seed_resize_from_w > 0
    offset = int(options["eta_noise_seed_delta"] or 0)
    return GenerationFacts(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        steps=request.steps,
        sampler=asked.choice.sampler.name,
        schedule_type=asked.choice.schedule.label,
        cfg_scale=request.cfg_scale,
        seed=asked.seeds[0],
        width=request.width,
        height=request.height,
        model_hash=found.short_hash if options["add_model_hash_to_info"] else None,
        model=found.stem if options["add_model_name_to_info"] else None,
        vae=task.vae.path.name if task.vae and options["add_vae_name_to_info"] else None,
        vae_hash=task.vae.short_hash if task.vae and options["add_vae_hash_to_info"] else None,
        variation_seed=_variation_seed(asked, 0),
        variation_seed_strength=request.subseed_strength if varied else None,
        seed_resize_from=(request.seed_resize_from_w, request.seed_resize_from_h) if resized else None,
        clip_skip=asked.clip_skip,
        ensd=offset if offset and asked.choice.sampler.uses_ensd else None,
        tiling=asked.tiling,
        extra=task.facts,
        version=VERSION,
    )


def _info(task: Task, infotexts: list[str], made: list[int], *, first: int) -> Info:
    asked, request, found = task.asked, task.asked.request, task.loaded.found
    # The WebUI lists the seeds of pictures that an interrupt left unmade as well; strict lists what is there.
    told = list(range(len(asked.seeds))) if asked.lenient or not made else made
    return Info(
        prompt=request.prompt,
        all_prompts=[request.prompt] * len(told),
        negative_prompt=request.negative_prompt,
        all_negative_prompts=[request.negative_prompt] * len(told),
        seed=asked.seeds[told[0]],
        all_seeds=[asked.seeds[i] for i in told],
        subseed=asked.subseeds[told[0]],
        all_subseeds=[asked.subseeds[i] for i in told],
        subseed_strength=request.subseed_strength,
        width=request.width,
        height=request.height,
        sampler_name=asked.choice.sampler.name,
        cfg_scale=request.cfg_scale,
        steps=request.steps,
        batch_size=task.batch_size,
        restore_faces=False,
        face_restoration_model=None,
        sd_model_name=found.stem,
        sd_model_hash=found.short_hash,
        sd_vae_name=task.vae.path.name if task.vae else None,
        sd_vae_hash=task.vae.short_hash if task.vae else None,
        seed_resize_from_w=request.seed_resize_from_w,
        seed_resize_from_h=request.seed_resize_from_h,
        denoising_strength=getattr(request, "denoising_strength", None),
        extra_generation_params=dict(task.facts),
        index_of_first_image=first,
        infotexts=infotexts,
        styles=list(request.styles or []),
        job_timestamp=task.engine.progress.snapshot().state.job_timestamp,
        clip_skip=asked.clip_skip,
        is_using_inpainting_conditioning=takes_inpainting(task),
    )


def takes_inpainting(task: Task) -> bool:
    """Whether the checkpoint is an inpainting model, whose U-Net is shown mask and picture beside the latent."""
    return int(task.loaded.checkpoint.unet.config["in_channels"]) == 9
