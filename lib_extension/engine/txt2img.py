"""How does a prompt alone become pictures?"""

from __future__ import annotations

from dataclasses import replace

from lib_extension.engine.batches import make_batches
from lib_extension.engine.engine import Engine
from lib_extension.engine.generated import Generated
from lib_extension.engine.hires import plan_second_pass, second_pass
from lib_extension.engine.inpainting import everything_hidden
from lib_extension.engine.sampling import Sampled, from_noise, sample
from lib_extension.engine.task import Batch, latent_shape, started, takes_inpainting, use_units
from lib_extension.spec.sdapi import Txt2Img


def txt2img(engine: Engine, request: Txt2Img) -> Generated:
    """The pictures of a POST /sdapi/v1/txt2img.

    Raises BadRequest, TooLarge, NotFound, BadFile, Mismatch, and, unless the engine is lenient, Interrupted.
    """
    with started(engine, request, "scripts_txt2img", jobs_per_batch=2 if request.enable_hr else 1) as task:
        asked = task.asked
        second = plan_second_pass(task, request) if request.enable_hr else None
        use_units(task, hires=second.size if second else None)
        if second is not None:
            task.facts |= second.facts
        settings = asked.sampler()
        shape = latent_shape(task, asked.width, asked.height)
        hidden = everything_hidden(task.loaded.checkpoint.vae, shape) if takes_inpainting(task) else None
        asked.note(task.facts, settings)
        if second is not None:
            task.facts |= second.settings.choice.effective.facts

        def make(batch: Batch) -> Sampled:
            texts = task.texts(task.prompt, request.negative_prompt, asked.choice, request.steps)
            guidance = task.guidance(texts, asked.choice, (asked.width, asked.height))
            if hidden is not None:
                guidance = replace(guidance, inpainting=hidden.expand(task.batch_size, -1, -1, -1))
            path = from_noise(settings, task.loaded.levels)
            first = sample(task.tools, settings, path, guidance, batch.noise(shape))
            if second is None or first.stopped is not None:
                return first
            last = second_pass(task, second, batch, first.latents)
            return replace(last, left_out=first.left_out or last.left_out)

        return make_batches(task, make, further=[second.prompt] if second is not None else [])
