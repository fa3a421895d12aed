"""What does the trainer cost over a bare loop? `python -m tests.bench.train [--json] [--rounds N] [--steps N] [--side PX]`.

A random U-Net of SD1.5's size, rank 16 in 192 modules, AdamW, one thread, CPU seconds; the trainer and a loop of nothing but forward,
backward, clipping and optimizer on the same weights take turns, each in a process of its own, with caches on disk. `train_caching` has the
cost of filling those.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported
os.environ["HF_HUB_OFFLINE"] = "1"

ROOT = Path(__file__).parents[2]
WANTED = {"outside_share": "<= 0.02", "step_over_bare": "", "memory_over_bare": "<= 1.10", "start_over_bare": "<= 1.15"}


@dataclass(frozen=True)
class Measured:
    """Medians over the rounds: a share of a step's CPU seconds, and ratios of CPU seconds and of the most resident memory."""

    outside_share: float
    step_over_bare: float
    memory_over_bare: float
    start_over_bare: float


@dataclass(frozen=True)
class Run:
    """What one process found: CPU seconds, and bytes."""

    start: float  # from its beginning to the end of the first step
    step: float  # of a later one
    outside: float  # of that, what was not model or optimizer
    memory: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6, help="of each process; the first does not count")
    parser.add_argument("--side", type=int, default=256, help="of the pictures in pixels")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        print("MEASURED " + json.dumps(asdict(CHILDREN[chosen.child[0]](Path(chosen.child[1]), chosen.steps, chosen.side))))
        return
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder), chosen.rounds, chosen.steps, chosen.side)
    if chosen.json:
        print(json.dumps(asdict(measured)))
        return
    for name, value in asdict(measured).items():
        print(f"{name:18} {value:8.4f}   {WANTED[name]}")


def measure(folder: Path, rounds: int, steps: int, side: int) -> Measured:
    make_model(folder / "model")
    make_pictures(folder / "pictures", side)
    child("trainer", folder, 1, side)  # fills the caches
    pairs = [(child("trainer", folder, steps, side), child("bare", folder, steps, side)) for _ in range(rounds)]
    return Measured(
        outside_share=round(median(ours.outside / ours.step for ours, _ in pairs), 4),
        step_over_bare=round(median(ours.step / bare.step for ours, bare in pairs), 3),
        memory_over_bare=round(median(ours.memory / bare.memory for ours, bare in pairs), 3),
        start_over_bare=round(median(ours.start / bare.start for ours, bare in pairs), 3),
    )


def child(what: str, folder: Path, steps: int, side: int) -> Run:
    command = [sys.executable, "-m", "tests.bench.train", "--child", what, str(folder), "--steps", str(steps), "--side", str(side)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("MEASURED ")]
    if not lines:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return Run(**json.loads(lines[0].removeprefix("MEASURED ")))


def make_model(folder: Path) -> None:
    """SD1.5's U-Net with random weights; a VAE and a text encoder that are small, as no step uses them."""
    import torch
    from diffusers import UNet2DConditionModel

    from tests.tiny import tiny_sd1

    tiny_sd1(folder, text_width=768)
    torch.manual_seed(0)
    UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8, sample_size=64).save_pretrained(folder / "unet")


def make_pictures(folder: Path, side: int) -> None:
    from tests.trainer.runs import pictures

    pictures(folder, 4, side)


class Clock:
    """CPU seconds of steps, and of what was timed inside of them."""

    def __init__(self) -> None:
        self.inside = 0.0
        self.ends: list[float] = []
        self.insides: list[float] = []

    def timed(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            before = time.process_time()
            try:
                return work(*arguments, **named)
            finally:
                self.inside += time.process_time() - before

        return run

    def step_ends(self) -> None:
        self.ends.append(time.process_time())
        self.insides.append(self.inside)
        self.inside = 0.0

    def result(self) -> Run:
        steps = [after - before for before, after in zip(self.ends, self.ends[1:], strict=False)]
        outside = [step - inside for step, inside in zip(steps, self.insides[1:], strict=True)]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return Run(self.ends[0], median(steps) if steps else 0.0, median(outside) if steps else 0.0, memory)


def trainer(folder: Path, steps: int, side: int) -> Run:
    """The trainer itself, with clocks at forward, backward, clipping and optimizer."""
    from trainer.__main__ import main as train
    from trainer.__main__ import module_of

    module_of("train")  # as it imports itself; what is timed is put in place afterwards
    import torch

    clock = Clock()
    torch.Tensor.backward = clock.timed(torch.Tensor.backward)
    torch.nn.utils.clip_grad_norm_ = clock.timed(torch.nn.utils.clip_grad_norm_)
    from diffusers import UNet2DConditionModel

    UNet2DConditionModel.forward = clock.timed(UNet2DConditionModel.forward)
    step = torch.optim.AdamW.step

    def stepped(self: Any, *arguments: Any) -> Any:
        result = clock.timed(step)(self, *arguments)
        if sum(len(group["params"]) for group in self.param_groups) > 1:  # not the trial at the start
            clock.step_ends()
        else:
            clock.inside = 0.0
        return result

    torch.optim.AdamW.step = stepped  # pyright: ignore[reportAttributeAccessIssue]
    from trainer.report import Report

    config = {
        "name": f"run{time.time_ns()}",
        "model": {"checkpoint": str(folder / "model")},
        "data": {"concepts": [{"folder": str(folder / "pictures")}], "resolution": side, "batch_size": 1},
        "network": {"rank": 16},
        "optimizer": {"optimizer": "AdamW"},
        "memory": {"gradient_checkpointing": False, "device": "cpu", "precision": "fp32", "threads": 1},
        "run": {"steps": steps, "save_every": 0, "plot": False},
        "output": {"folder": str(folder / "runs")},
        "evaluation": {"on": False},
    }
    file = folder / "config.json"
    file.write_text(json.dumps(config))
    out = io.StringIO()
    if train(["train", str(file)], Report(out)):
        raise RuntimeError(out.getvalue())
    return clock.result()


def bare(folder: Path, steps: int, side: int) -> Run:
    """The limit: nothing but the model and the optimizer."""
    import torch
    from diffusers import UNet2DConditionModel
    from peft import LoraConfig, inject_adapter_in_model

    torch.set_num_threads(1)
    unet = UNet2DConditionModel.from_pretrained(folder / "model" / "unet", local_files_only=True)
    unet.requires_grad_(False)
    targets = r".*\.attentions\..*\.(to_q|to_k|to_v|to_out\.0|ff\.net\.0\.proj|ff\.net\.2)|.*\.attentions\.\d+\.(proj_in|proj_out)"
    inject_adapter_in_model(LoraConfig(r=16, lora_alpha=16, target_modules=targets), unet)
    unet.train()
    parameters = [one for one in unet.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, fused=True)
    clock = Clock()
    latents, text = torch.randn(1, 4, side // 8, side // 8), torch.randn(1, 77, 768)
    for step in range(steps):
        noise = torch.randn_like(latents)
        answer = unet(latents + noise, torch.tensor([100 * step % 1000]), text).sample  # 1 4 h w
        torch.nn.functional.mse_loss(answer, noise).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        clock.step_ends()
    return clock.result()


CHILDREN = {"trainer": trainer, "bare": bare}


if __name__ == "__main__":
    main()
