"""How do the batches of a task become its pictures, one after the other?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PIL import Image

from lib_extension.engine.generated import Generated
from lib_extension.engine.latents import decode
from lib_extension.engine.loras import Prompt, hashes_told
from lib_extension.engine.noise import Seeds
from lib_extension.engine.prompt import split_and
from lib_extension.engine.prompt_schedule import schedule
from lib_extension.engine.sampling import Sampled
from lib_extension.engine.task import Batch, Task
from lib_extension.engine.told import tell
from lib_extension.spec.errors import Interrupted

Sampler = Callable[[Batch], Sampled]
Finish = Callable[[list[Image.Image]], list[Image.Image]]


def make_batches(task: Task, sample: Sampler, finish: Finish = lambda pictures: pictures, further: Sequence[Prompt] = ()) -> Generated:
    """Runs every batch. Strict raises Interrupted for a task that was stopped, and leaves out batches that were skipped.

    further: prompts beside the task's that `sample` draws by.
    """
    asked, progress = task.asked, task.engine.progress
    if (hashes := hashes_told([task.prompt, *further])) is not None:
        task.facts["Lora hashes"] = hashes
    if (mode := str(asked.options["emphasis"])) != "Original" and _has_brackets(task):
        task.facts["Emphasis"] = mode
    pictures: list[Image.Image] = []
    made: list[int] = []
    for number in range(asked.request.n_iter):
        if progress.interrupted:
            break
        progress.batch(f"Batch {number + 1} out of {asked.request.n_iter}" if asked.request.n_iter > 1 else "")
        places = range(number * task.batch_size, (number + 1) * task.batch_size)
        sampled = sample(Batch(number, _seeds(task, places)))
        if sampled.left_out:
            task.facts["NGMS"] = asked.request.s_min_uncond
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
    return tell(task, pictures, made)


def _has_brackets(task: Task) -> bool:
    """Whether any text that is encoded could weigh a word; the brackets of edits are gone from those."""
    request = task.asked.request
    prompts = [*(part for part, _ in split_and(task.prompt.text)), request.negative_prompt]
    return any(sign in text for prompt in prompts for _, text in schedule(prompt, request.steps) for sign in "([")


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
