"""`python -m trainer estimate CONFIG [name=value ...]`: memory, disk and time of a training, before anything is loaded.

Device memory is the larger of two moments:

    training  = frozen weights + trained values × (4 weights + 4 gradients + optimizer's + 4 if EMA) + peak + the device's own,
                with the larger peak of a step and of decoding a sample
    encoding  = encoders in fp32 + peak of encoding pictures + the device's own          (where a cache lacks something)

with the peaks from a rehearsal on tensors without values (rehearsal.py), at the largest bucket. Libraries' work space is not in it, and
CUDA's autocast keeps norms in fp32 that the rehearsal counts in half: on a GPU it may be a fifth more.

Time is operations of a step × steps / what the device does of convolutions and products of that kind, tried for a moment.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import torch

from lib_extension.models.checkpoint import Placement
from lib_extension.spec.training import TrainingConfig
from trainer.base_model import find_base
from trainer.data.buckets import fit_of
from trainer.data.captions import possible_captions
from trainer.data.examples import Found, find_examples
from trainer.data.order import Item, Order
from trainer.device import device_name, precision_of
from trainer.rehearsal import Rehearsed, rehearse
from trainer.report import Report
from trainer.run_folder import asked
from trainer.savings import savings
from trainer.session import cache_folder_of, data_settings, steps_of

_CUDA_CONTEXT = 600_000_000  # bytes that CUDA and its libraries hold before anything is done
_BYTES = {"fp16": 2, "bf16": 2, "fp32": 4}
_TRIAL = 0.3  # seconds


@dataclass(frozen=True)
class Estimate:
    """In bytes and seconds."""

    pictures: int
    steps: int
    trained_values: int
    device: str
    precision: str
    weights: int
    optimizer: int  # state, gradients, trained weights and their mean
    step_peak: int
    drawing: int  # a sample
    encoding: int
    comparing: int  # the saves at the end, by pictures that the base draws with each; 0 where that is not wanted
    memory: int
    memory_there: int
    disk: int
    disk_there: int
    seconds_a_step: float
    seconds: float


def run(arguments: Sequence[str], report: Report) -> int:
    """The exit status."""
    config, folder = asked(arguments, report)
    found = find_examples(data_settings(config), None)
    found.refuse_if_bad()
    told = estimate(config, found, folder)
    report.value("estimate", **asdict(told))
    for line in lines(told, config):
        report.log(line)
    return 0


def estimate(config: TrainingConfig, found: Found, folder: Path) -> Estimate:
    """Of a training on what was found."""
    device = device_name(config.memory)
    precision = precision_of(config.memory, device)
    data = data_settings(config)
    fits = [fit_of(data, one) for one in found.examples]
    largest = max((fit.bucket for fit in fits), key=lambda size: size[0] * size[1])
    base = find_base(config.model, Placement(), cache_folder_of(config)).load(leave_out=("unet", "vae", "text"))
    rehearsed = rehearse(config, base, precision, config.data.batch_size, largest, on_gpu=device != "cpu")
    matched = [one.prior and data.match_regularisation for one in found.examples]
    items = [Item(fit.bucket, one.concept.repeats, match) for fit, one, match in zip(fits, found.examples, matched, strict=True)]
    order = Order(items, data.batch_size, 0)
    steps = steps_of(config, order.steps_per_epoch)
    own = _CUDA_CONTEXT if device.startswith("cuda") else 0
    values, state = sum(rehearsed.trained), optimizer_bytes(config, rehearsed)
    changing = values * (8 + (4 if config.run.ema else 0)) + state
    encoding = rehearsed.encoders + rehearsed.encoding_peak if data.cache_latents or data.cache_text else 0
    speed = operations_a_second(device, precision)
    area = sum(fit.bucket[0] * fit.bucket[1] for fit in fits) / len(fits) / (largest[0] * largest[1])
    a_step = rehearsed.operations * config.memory.parts * config.memory.accumulation * area / speed
    return Estimate(
        pictures=len(found.examples),
        steps=steps,
        trained_values=values,
        device=device,
        precision=precision,
        weights=rehearsed.weights,
        optimizer=changing,
        step_peak=rehearsed.peak,
        drawing=rehearsed.drawing,
        encoding=encoding,
        comparing=rehearsed.whole + own if config.evaluation.on else 0,
        memory=max(rehearsed.weights + changing + max(rehearsed.peak, rehearsed.drawing), encoding) + own,
        memory_there=_memory_of(device),
        disk=disk_bytes(config, found, rehearsed, steps),
        disk_there=shutil.disk_usage(_existing(folder)).free,
        seconds_a_step=a_step,
        seconds=a_step * steps + (rehearsed.encoding * len(fits) / operations_a_second(device, "fp32") if data.cache_latents else 0),
    )


def optimizer_bytes(config: TrainingConfig, rehearsed: Rehearsed) -> int:
    """The optimizer's state: two float32 for each value of Adam, and so on. bitsandbytes keeps tensors under 4,096 values in 32 bits."""
    name = config.optimizer.optimizer
    values = sum(rehearsed.trained)
    if name in ("auto", "AdamW8bit", "PagedAdamW8bit", "Lion8bit"):
        moments = 1 if name == "Lion8bit" else 2
        return sum(moments * count * (4 if count < 4096 else 1) for count in rehearsed.trained)
    if name == "Adafactor":
        return 4 * sum(rehearsed.rows)
    return values * (16 if name == "Prodigy" else 8)


def disk_bytes(config: TrainingConfig, found: Found, rehearsed: Rehearsed, steps: int) -> int:
    """Caches, the states that stay, and the LoRA files."""
    data, values = data_settings(config), sum(rehearsed.trained)
    examples = (*found.examples, *found.validation)
    total = 0
    if data.cache_latents:
        for one in examples:
            height, width = fit_of(data, one).bucket
            total += height * width // 64 * 4 * 4 * (2 if one.concept.augmentation.flip else 1)
    if data.cache_text:
        captions = {caption for one in examples for caption in possible_captions(one, config.run.seed)} | {""}
        total += len(captions) * 77 * rehearsed.text_width * 4
    state = values * (8 if config.run.ema else 4) + optimizer_bytes(config, rehearsed)
    saves = 1 + (steps - 1) // config.run.save_every if config.run.save_every else 1
    total += state * (min(saves, config.run.keep_states) + 1)  # a new one is written before an old one goes
    files = min(saves, config.run.keep_files or saves) + 1 + bool(config.output.lora_folder) + config.output.peft_copy
    return total + files * values * _BYTES[config.output.dtype]


def operations_a_second(device: str, precision: str) -> float:
    """What the device does now, of the products and convolutions that a U-Net is made of."""
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision, torch.float32)
    picture, kernel = torch.randn(1, 320, 32, 32, device=device, dtype=dtype), torch.randn(320, 320, 3, 3, device=device, dtype=dtype)
    rows, matrix = torch.randn(1024, 640, device=device, dtype=dtype), torch.randn(640, 2560, device=device, dtype=dtype)
    once = 2 * 320 * 320 * 9 * 32 * 32 + 2 * 1024 * 640 * 2560
    count, begun = 0, 0.0
    while not begun or time.perf_counter() - begun < _TRIAL:
        torch.nn.functional.conv2d(picture, kernel, padding=1)
        result = rows @ matrix
        float(result[0, 0])  # waits for the device
        begun, count = (begun, count + 1) if begun else (time.perf_counter(), 0)  # the first is a warm-up
    return once * max(count, 1) / (time.perf_counter() - begun)


def lines(told: Estimate, config: TrainingConfig) -> list[str]:
    """For people."""
    said = [
        f"{told.pictures} pictures, {told.steps} steps, {told.trained_values:,} trained values, on {told.device} in {told.precision}.",
        f"Memory: about {_gb(told.memory)} (weights {_gb(told.weights)}, trained and optimizer {_gb(told.optimizer)}, "
        f"a step {_gb(told.step_peak)}, a sample {_gb(told.drawing)}; while encoding {_gb(told.encoding)}). "
        f"There: {_gb(told.memory_there)}.",
        f"Disk: about {_gb(told.disk)}. Free: {_gb(told.disk_there)}.",
        f"Time: about {_span(told.seconds)}, {told.seconds_a_step:.2f} s a step.",
    ]
    if told.memory > told.memory_there:
        cheapest = "; ".join(f"{one.setting}={one.value} ({one.cost})" for one in savings(config)[:3])
        said.append(f"This is more memory than there is. The cheapest changes: {cheapest}.")
    if told.comparing > told.memory_there:
        said.append(
            f"Comparing the saves at the end takes more memory than there is, about {_gb(told.comparing)}, as the base draws as it is, not "
            "quantised. Set evaluation.on to false, or leave it: the LoRA is finished before, and stays."
        )
    if told.disk > told.disk_there:
        said.append("This is more than fits on the disk. Keep fewer states or files (run.keep_states, run.keep_files), or make room.")
    return said


def _memory_of(device: str) -> int:
    if device.startswith("cuda"):
        return torch.cuda.mem_get_info(torch.device(device))[0]
    return psutil.virtual_memory().available


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _gb(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min" if minutes else f"{seconds:.0f} s"
