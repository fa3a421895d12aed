"""How much does the engine cost over the bare pipeline, and does it grow? `python -m tests.bench.engine [--json]`.

One thread everywhere; where two things are compared they take turns, and CPU seconds are compared, because wall time on a shared
machine says more about the others. The demo model is measured where it is, else a tiny random one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # Before torch is imported, here and in the engine.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"  # It says that torchvision is missing, as it should be.

import psutil
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from PIL import Image

from lib_extension.engine.options import Options
from lib_extension.engine.outputs import encoded
from tests import tiny
from tests.engine.running import ROOT, Running, engine

DEMO = ROOT / "lib_extension" / "models" / "demo"
PROMPT = "a red watch on a beach"
ASKED: dict[str, Any] = {
    "prompt": PROMPT,
    "steps": 20,
    "width": 128,
    "height": 128,
    "batch_size": 4,
    "cfg_scale": 7,
    "seed": 1,
    "sampler_name": "Euler",
}
SMALL = {**ASKED, "steps": 1, "width": 64, "height": 64, "batch_size": 1}
SPEC = ["errors", "settings", "sdapi", "controlnet"]

WANTED = {
    "start_s": "",
    "http_over_direct": "<= 1.05",
    "png_base64_share": "",
    "rss_growth_mb": "<= 20",
    "spec_import_ms": "< 50",
}


@dataclass(frozen=True)
class Measured:
    """Seconds of wall time to the first answer, a ratio of CPU seconds, a share of them, MB, and milliseconds of CPU."""

    start_s: float
    http_over_direct: float
    png_base64_share: float
    rss_growth_mb: float
    spec_import_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=7, help="of HTTP and direct, taking turns")
    parser.add_argument("--requests", type=int, default=1000, help="for the growth of memory; it is compared with that after a tenth")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder), chosen.rounds, chosen.requests)
    if chosen.json:
        print(json.dumps(asdict(measured)))
        return
    for name, value in asdict(measured).items():
        print(f"{name:18} {value:10.3f}   {WANTED[name]}")


def measure(folder: Path, rounds: int, requests: int) -> Measured:
    torch.set_num_threads(1)
    model = DEMO if (DEMO / "model_index.json").is_file() else tiny.tiny_sd1(folder / "tiny")
    begun = time.perf_counter()
    with engine(folder / "log", "--model", str(model)) as running:
        running.json("GET", "/sdapi/v1/options")
        start_s = time.perf_counter() - begun
        over_http, direct = take_turns(rounds, lambda: http_seconds(running, ASKED), direct_seconds(model))
        share = encoding_seconds() / median(over_http)
        growth = memory_growth(running, requests)
    ratio = median(a / b for a, b in zip(over_http, direct, strict=True))
    return Measured(round(start_s, 2), round(ratio, 3), round(share, 4), round(growth, 1), round(spec_import_ms(), 1))


def take_turns(rounds: int, first: Callable[[], float], second: Callable[[], float]) -> tuple[list[float], list[float]]:
    """A B A B ..., after one of each that does not count."""
    first()
    second()
    pairs = [(first(), second()) for _ in range(rounds)]
    return [a for a, _ in pairs], [b for _, b in pairs]


def http_seconds(running: Running, body: dict[str, Any]) -> float:
    """CPU seconds of the engine's process for one call."""
    process = psutil.Process(running.process.pid)
    before = cpu_seconds(process)
    running.json("POST", "/sdapi/v1/txt2img", body)
    return cpu_seconds(process) - before


def direct_seconds(model: Path) -> Callable[[], float]:
    """The same work by diffusers' own pipeline in this process."""
    pipeline = StableDiffusionPipeline.from_pretrained(model, safety_checker=None, requires_safety_checker=False, local_files_only=True)
    pipeline.to(torch.float32)  # as the engine on a processor; the parts would come as they are stored, some in half precision
    pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    sizes = {"width": ASKED["width"], "height": ASKED["height"], "num_images_per_prompt": ASKED["batch_size"]}

    def call() -> float:
        before = time.process_time()
        pipeline(PROMPT, num_inference_steps=ASKED["steps"], guidance_scale=ASKED["cfg_scale"], **sizes)
        return time.process_time() - before

    return call


def encoding_seconds() -> float:
    """PNG and base64 of one answer, with pictures as hard to compress as made ones."""
    noise = torch.randint(0, 256, (ASKED["height"] // 4, ASKED["width"] // 4, 3), dtype=torch.uint8).numpy()
    picture = Image.fromarray(noise).resize((ASKED["width"], ASKED["height"]), Image.Resampling.BICUBIC)
    options = Options()
    before = time.process_time()
    for _ in range(10 * ASKED["batch_size"]):
        encoded(picture, "an infotext of usual length " * 8, options)
    return (time.process_time() - before) / 10


def memory_growth(running: Running, requests: int) -> float:
    """MB of resident memory that the later nine tenths of the requests add."""
    process = psutil.Process(running.process.pid)
    at = {}
    for number in range(1, requests + 1):
        running.json("POST", "/sdapi/v1/txt2img", {**SMALL, "seed": number})
        if number in (requests // 10, requests):
            at[number] = process.memory_info().rss
    return (at[requests] - at[requests // 10]) / 2**20


def spec_import_ms() -> float:
    """CPU milliseconds, the best of five fresh processes, without Python's own start."""
    modules = ", ".join(f"lib_extension.spec.{name}" for name in SPEC)
    code = f"import time; begun = time.process_time(); import {modules}; print((time.process_time() - begun) * 1000)"
    return min(float(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True).stdout) for _ in range(5))


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
