"""What is told of the pictures that were made: infotexts, ``info``, and the grid?"""

from __future__ import annotations

from dataclasses import replace

from PIL import Image

from lib_extension.engine.asked import Asked
from lib_extension.engine.generated import VERSION, Generated, Info
from lib_extension.engine.task import Task, takes_inpainting
from lib_extension.formats.infotext import GenerationFacts, write_infotext
from lib_extension.pictures.grid import image_grid


def tell(task: Task, pictures: list[Image.Image], made: list[int]) -> Generated:
    """``made`` are the places of the ``pictures`` among all that were asked for."""
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
