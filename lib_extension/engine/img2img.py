"""How is a picture redrawn, all of it or a masked part?"""

from __future__ import annotations

from dataclasses import replace

from lib_extension.engine.batches import make_batches
from lib_extension.engine.denoise import Blend
from lib_extension.engine.engine import Engine
from lib_extension.engine.generated import Generated
from lib_extension.engine.redraw import Redraw, plan_redraw
from lib_extension.engine.redraw_latents import start_latents
from lib_extension.engine.sampling import Sampled, from_latents, sample
from lib_extension.engine.task import Batch, started, takes_inpainting, use_units
from lib_extension.spec.sdapi import Img2Img


def img2img(engine: Engine, request: Img2Img) -> Generated:
    """The pictures of a POST /sdapi/v1/img2img. Outside the mask they are the original, bit for bit.

    Raises BadRequest, TooLarge, NotFound, BadFile, Mismatch, and, unless the engine is lenient, Interrupted.
    """
    with started(engine, request, "scripts_img2img") as task:
        asked = task.asked
        redraw: Redraw = plan_redraw(task, request)
        task.batch_size = redraw.batch_size
        use_units(task, source=redraw.source)
        task.facts |= redraw.facts
        settings = asked.sampler()
        asked.note(task.facts, settings)
        start = start_latents(task, redraw, inpainting_model=takes_inpainting(task))
        multiplier = request.initial_noise_multiplier
        if multiplier is None:
            multiplier = float(asked.options["initial_noise_multiplier"])
        if multiplier != 1:
            task.facts["Noise multiplier"] = multiplier

        def make(batch: Batch) -> Sampled:
            texts = task.texts(task.prompt, request.negative_prompt, asked.choice, request.steps)
            blend = None if start.keep is None else Blend(start.latents, start.keep, before=asked.choice.sampler.scaled)
            guidance = replace(task.guidance(texts, asked.choice, (asked.width, asked.height)), blend=blend, inpainting=start.shown)
            all_steps = bool(asked.options["img2img_fix_steps"])
            path = from_latents(settings, task.loaded.levels, start.latents, request.denoising_strength, all_steps=all_steps)
            return sample(task.tools, settings, path, guidance, batch.noise(tuple(start.latents.shape[1:])), multiplier)

        return make_batches(task, make, redraw.finish)
