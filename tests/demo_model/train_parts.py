"""Trains the network for depth and part masks, and writes it as ONNX: `python -m tests.demo_model.train_parts [--steps N]`."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from tests.demo_model.drawn import draw, spoil
from tests.demo_model.painter import PARTS
from tests.demo_model.runs import Run, learning_rate
from tests.demo_model.scenes import SIZE, held_out_scene, training_scene

BATCH, SCENES = 16, 4000
LAYERS = ("depth", *PARTS)
RARE = torch.tensor([1.0, 4.0, 10.0, 1.0])  # how much more a missed pixel of each part weighs: few scenes have a strap
WIDTHS = (16, 24, 40, 64, 96)


def _block(before: int, after: int) -> nn.Sequential:
    convolutions = [(before, after), (after, after)]
    layers = [(nn.Conv2d(a, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()) for a, b in convolutions]
    return nn.Sequential(*(layer for group in layers for layer in group))


class Parts(nn.Module):
    """RGB in 0..1, (N, 3, H, W), sides multiples of 16 → (N, 5, H, W) in 0..1: depth (near is 1), object, face, strap, ground.

    A small U-Net (Ronneberger et al. 2015, arXiv:1505.04597).
    """

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.down = nn.ModuleList(_block(a, b) for a, b in zip((3, *WIDTHS), WIDTHS, strict=False))
        self.up = nn.ModuleList(_block(a + b, b) for a, b in zip(WIDTHS[:0:-1], WIDTHS[-2::-1], strict=True))
        self.out = nn.Conv2d(WIDTHS[0], len(LAYERS), 1)

    def logits(self, pictures: torch.Tensor) -> torch.Tensor:
        """The output before the sigmoid."""
        seen, kept = pictures * 2 - 1, []
        for i, block in enumerate(self.down):
            seen = block(F.max_pool2d(seen, 2) if i else seen)
            kept.append(seen)
        for block, skipped in zip(self.up, kept[-2::-1], strict=True):
            seen = block(torch.cat([F.interpolate(seen, scale_factor=2.0, mode="nearest"), skipped], 1))
        return self.out(seen)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.logits(pictures).sigmoid()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--steps", type=int, default=2000)
    options.add_argument("--folder", type=Path, default=Path("demo-training/parts"))
    chosen = options.parse_args()
    torch.set_num_threads(1)
    model = Parts().train()
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
    run = Run(chosen.folder, {"model": model, "optimizer": optimizer})
    drawn = draw(training_scene, SCENES)
    while run.step < chosen.steps:
        random = run.generator("batch")
        batch = torch.randint(SCENES, (BATCH,), generator=random)
        wanted = drawn.targets[batch].float() / 255
        found = model.logits(spoil(drawn.pictures[batch].float() / 255, random))
        depth = (found[:, 0].sigmoid() - wanted[:, 0]).abs().mean()
        masks = F.binary_cross_entropy_with_logits(found[:, 1:], wanted[:, 1:], pos_weight=RARE[:, None, None])
        (depth + masks).backward()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run.step, chosen.steps, 3e-3)
        optimizer.step()
        optimizer.zero_grad()
        run.step += 1
        run.log(100, depth=depth.item(), masks=masks.item())
        if run.step % 500 == 0 or run.step == chosen.steps:
            run.save()
    write(model, chosen.folder / "trained")
    report(model)


def write(model: Parts, folder: Path) -> None:
    """Write ``model.onnx``; batch, height and width are free."""
    folder.mkdir(parents=True, exist_ok=True)
    axes = {0: "N", 2: "height", 3: "width"}
    torch.onnx.export(
        model.eval(),
        (torch.zeros(1, 3, SIZE, SIZE),),
        folder / "model.onnx",
        input_names=["picture"],
        output_names=["layers"],
        dynamic_axes={"picture": axes, "layers": axes},
        dynamo=False,
    )


@torch.no_grad()
def report(model: Parts) -> None:
    """Print the mean error of depth and the intersection over union of each mask on scenes never trained on."""
    judged = draw(held_out_scene, 200)
    found = model.eval()(judged.pictures.float() / 255)
    wanted = judged.targets.float() / 255
    print({"depth": (found[:, 0] - wanted[:, 0]).abs().mean().item()})
    for i, part in enumerate(PARTS, 1):
        mine, true = found[:, i] > 0.5, wanted[:, i] > 0.5
        print({part: ((mine & true).sum() / (mine | true).sum()).item()})


if __name__ == "__main__":
    main()
