"""Trains the tagger and writes it in the form of the WD14 taggers: `python -m tests.demo_model.train_tagger [--steps N]`."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from tests.demo_model.character import POSES, VIEWS
from tests.demo_model.drawn import draw, spoil
from tests.demo_model.objects import COLOURS
from tests.demo_model.places import PLACES
from tests.demo_model.runs import Run, learning_rate
from tests.demo_model.scenes import SIZE, TAGGED_OBJECTS, Subject, held_out_tagger_scene, tagger_scene

BATCH, SCENES = 32, 7000
# Tags of one group exclude each other; the empty word means that none of them fits.
GROUPS: dict[str, tuple[str, ...]] = {
    "colour": tuple(COLOURS),
    "object": TAGGED_OBJECTS,
    "place": tuple(PLACES),
    "view": ("", *VIEWS),
    "pose": ("", *POSES),
    "strap": ("", *COLOURS),
}
RATINGS = ("general", "sensitive", "questionable", "explicit")


def tag_names() -> list[str]:
    """All tags in the order of the network's output."""
    shown = {"view": "{}_view", "strap": "{}_strap"}
    words = [shown.get(group, "{}").format(word.replace(" ", "_")) for group, all_words in GROUPS.items() for word in all_words if word]
    return [*RATINGS, *words]


class Tagger(nn.Module):
    """BGR values 0..255, (N, 128, 128, 3), as the WD14 taggers take them → probabilities (N, tags) and an embedding (N, 128)."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        layers: list[nn.Module] = []
        for before, after, stride in ((3, 24, 2), (24, 32, 1), (32, 48, 2), (48, 64, 2), (64, 96, 1), (96, 128, 2)):
            layers += [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.embed = nn.Linear(256, 128)
        self.heads = nn.ModuleDict({group: nn.Linear(128, len(words)) for group, words in GROUPS.items()})

    def embedding(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures in 0..1, RGB, (N, 3, 128, 128) → (N, 128)."""
        seen = self.body(pictures * 2 - 1)
        return self.embed(torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], 1))

    def scores(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits for each group, (N, words)."""
        known = F.relu(self.embedding(pictures))
        return {group: head(known) for group, head in self.heads.items()}

    def forward(self, bgr: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        known = self.embedding(bgr.flip(3).permute(0, 3, 1, 2) / 255)
        rating = torch.tensor([[1.0, 0.0, 0.0, 0.0]]).expand(bgr.shape[0], -1)
        found = [head(F.relu(known)).softmax(1) for head in self.heads.values()]
        kept = [p[:, 1:] if not words[0] else p for p, words in zip(found, GROUPS.values(), strict=True)]
        return torch.cat([rating, *kept], 1), known


def answers(subjects: list[Subject]) -> dict[str, torch.Tensor]:
    """The right word's number in each group, (N,)."""
    return {group: torch.tensor([words.index(getattr(s, group)) for s in subjects]) for group, words in GROUPS.items()}


def write(model: Tagger, subjects: list[Subject], folder: Path) -> None:
    """Write ``model.onnx`` and ``selected_tags.csv`` (tag_id, name, category, count: 9 is a rating, 0 a general tag)."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        model.eval(),
        (torch.zeros(1, SIZE, SIZE, 3),),
        folder / "model.onnx",
        input_names=["input_1:0"],
        output_names=["predictions_sigmoid", "embedding"],
        dynamic_axes={name: {0: "N"} for name in ("input_1:0", "predictions_sigmoid", "embedding")},
        dynamo=False,
    )
    seen = {name: sum(name.replace("_", " ") in f"{s.tags} {s.view} view {s.strap} strap" for s in subjects) for name in tag_names()}
    with (folder / "selected_tags.csv").open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(("tag_id", "name", "category", "count"))
        for number, name in enumerate(tag_names()):
            rows.writerow((number, name, 9 if name in RATINGS else 0, len(subjects) if name == "general" else seen[name]))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--steps", type=int, default=3000)
    options.add_argument("--folder", type=Path, default=Path("demo-training/tagger"))
    chosen = options.parse_args()
    torch.set_num_threads(1)
    model = Tagger().train()
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
    run = Run(chosen.folder, {"model": model, "optimizer": optimizer})
    drawn = draw(tagger_scene, SCENES)
    right = answers(drawn.subjects)
    while run.step < chosen.steps:
        random = run.generator("batch")
        batch = torch.randint(SCENES, (BATCH,), generator=random)
        scores = model.scores(spoil(drawn.pictures[batch].float() / 255, random))
        losses = {group: F.cross_entropy(found, right[group][batch]) for group, found in scores.items()}
        torch.stack(list(losses.values())).sum().backward()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run.step, chosen.steps, 2e-3)
        optimizer.step()
        optimizer.zero_grad()
        run.step += 1
        run.log(100, **{group: loss.item() for group, loss in losses.items()})
        if run.step % 500 == 0 or run.step == chosen.steps:
            run.save()
    write(model, drawn.subjects, chosen.folder / "trained")
    report(model)


@torch.no_grad()
def report(model: Tagger) -> None:
    """Print the share of right answers on scenes whose combination was never trained on."""
    judged = draw(held_out_tagger_scene, 500)
    right = answers(judged.subjects)
    scores = model.eval().scores(judged.pictures.float() / 255)
    print({group: (found.argmax(1) == right[group]).float().mean().item() for group, found in scores.items()})


if __name__ == "__main__":
    main()
