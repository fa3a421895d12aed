"""What do looking at, tagging and editing a data set cost beside what cannot be avoided? CPU seconds of the process.

    python -m tests.bench.dataset [--pictures N] [--json]

decoding_share      reading and decoding over all of check + hashes, pictures of 1 megapixel, a hundred of each in turn, by all cores
twins_s             clusters of pictures that look alike, of what was seen
tagging_over_bare   captioning a folder over a bare onnxruntime loop on the same files: a random network of a tagger's form, 448 px
tag_agreement       the share of colours, objects and places that the demo's tagger names right in pictures drawn of what it never learnt
edit_10000_s        a filter and three edits of 10,000 captions in memory; write_10000_s puts them in place, each whole, wall seconds
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

os.environ["OMP_NUM_THREADS"] = "1"  # Before torch is imported.

import numpy as np
import onnxruntime
import torch
from PIL import Image
from torch import nn

from lib_extension.captions.edits import differences
from lib_extension.captions.files import Captioned, read_folder
from lib_extension.captions.filters import matching
from lib_extension.captions.journal import Journal
from lib_extension.spec.captions import CaptionEdit, CaptionFilter
from lib_extension.spec.dataset import CheckSettings
from lib_extension.spec.settings import read_value
from tests.demo_model.scenes import held_out_tagger_scene
from tests.trainer.agreement import agreement
from trainer.__main__ import main as trainer
from trainer.data.pictures import opened, upright
from trainer.dataset.findings import findings_of
from trainer.dataset.seen import Seen, see_all
from trainer.dataset.twins import clusters
from trainer.report import Report

_IN_TURN = 100
_DIFFERENT = 200  # pictures on disk; the others are links to them
_SIDE, _TAGS, _TAGGED = 448, 9083, 32
_DRAWN = 300
_EDITS = (
    {"kind": "add", "tags": ["sks"], "where": "first"},
    {"kind": "replace", "tag": "tag 3", "by": ["tag 3a", "tag 3b"]},
    {"kind": "sort", "keep": 1},
)


def photograph(seed: int) -> Image.Image:
    """Soft shapes with grain, 1024 x 1024."""
    random = np.random.default_rng(seed)
    shapes = Image.fromarray(random.integers(20, 235, (9, 9, 3), dtype=np.uint8)).resize((1024, 1024), Image.Resampling.BICUBIC)
    return Image.fromarray((np.asarray(shapes) + random.normal(0, 9, (1024, 1024, 1))).clip(0, 255).astype(np.uint8))


def _decode(file: tuple[Path, str]) -> None:
    upright(opened(file[0].read_bytes()))


def looking(folder: Path, pictures: int) -> dict[str, float]:
    """decoding_share and what it comes from, and twins_s."""
    files: list[tuple[Path, str]] = []
    for i in range(pictures):
        path = folder / f"{i:05}.jpg"
        if i < _DIFFERENT:
            photograph(i).save(path, quality=92)
        else:
            os.link(folder / f"{i % _DIFFERENT:05}.jpg", path)
        files.append((path, path.name))
    settings = CheckSettings(str(folder))
    seen: list[Seen] = []
    whole = bare = 0.0
    for start in range(0, pictures, _IN_TURN):  # in turn, so that both have the same of whatever else the machine does
        some = files[start : start + _IN_TURN]
        begun = time.process_time()
        seen += see_all(some, settings, lambda done, total: None)
        whole += time.process_time() - begun
        begun = time.process_time()
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:  # as many as looking takes: two at once slow each other down
            list(pool.map(_decode, some))
        bare += time.process_time() - begun
    begun = time.process_time()
    findings_of(seen, settings.limits)
    whole += time.process_time() - begun
    begun = time.process_time()
    clusters([one.facts for one in seen if one.facts], 8)
    twins = time.process_time() - begun
    each = 1000 / pictures
    return {
        "decoding_share": bare / whole,
        "check_s": whole,
        "check_ms_each": whole * each,
        "decoding_ms_each": bare * each,
        "twins_s": twins,
    }


def write_tagger(folder: Path) -> None:
    """About eight thousand million multiplications a picture: a sixth of a real tagger's."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for before, after, stride in (
        (3, 32, 2),
        (32, 64, 2),
        (64, 128, 2),
        (128, 128, 1),
        (128, 256, 2),
        (256, 256, 1),
        (256, 512, 2),
        (512, 512, 1),
    ):
        layers += [nn.Conv2d(before, after, 3, stride, 1), nn.ReLU()]

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(*layers)
            self.head = nn.Linear(512, _TAGS)

        def forward(self, bgr: torch.Tensor) -> torch.Tensor:
            return self.head(self.body(bgr.permute(0, 3, 1, 2) / 255).mean((2, 3))).sigmoid()

    folder.mkdir()
    sample = (torch.zeros(1, _SIDE, _SIDE, 3),)
    axes = {"input": {0: "N"}, "output": {0: "N"}}
    torch.onnx.export(
        Network().eval(), sample, folder / "model.onnx", input_names=["input"], output_names=["output"], dynamic_axes=axes, dynamo=False
    )
    with (folder / "selected_tags.csv").open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(("tag_id", "name", "category", "count"))
        rows.writerows((i, f"tag_{i}", 0, 1) for i in range(_TAGS))


def tagging(folder: Path, rounds: int = 3) -> float:
    """tagging_over_bare, the median over rounds."""
    write_tagger(folder / "tagger")
    data = folder / "data"
    data.mkdir()
    for i in range(_TAGGED):
        photograph(i).resize((768, 768)).save(data / f"{i}.jpg", quality=92)

    def bare() -> float:
        begun = time.process_time()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(folder / "tagger" / "model.onnx", options)
        files = sorted(data.glob("*.jpg"))
        for start in range(0, len(files), 8):
            pictures = [Image.open(path).convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX) for path in files[start : start + 8]]
            batch = np.stack([np.asarray(picture, np.float32)[:, :, ::-1] for picture in pictures])
            (scores,) = session.run(None, {"input": batch})
            for row, path in zip(np.asarray(scores), files[start : start + 8], strict=True):
                path.with_suffix(".txt").write_text(", ".join(f"tag {i}" for i in np.flatnonzero(row > 0.5)[:40]))
        return time.process_time() - begun

    config = folder / "caption.json"
    captioner = {"kind": "tagger", "model": str(folder / "tagger"), "threshold": 0.5, "most": 40}
    config.write_text(
        json.dumps({"folder": str(data), "captioners": [captioner], "existing": "replace", "journal": str(folder / "journal")})
    )

    def ours() -> float:
        begun = time.process_time()
        assert trainer(["caption", str(config)], Report(io.StringIO())) == 0
        return time.process_time() - begun

    bare()
    ours()
    ratios = [(ours(), bare()) for _ in range(rounds)]
    return median(a / b for a, b in ratios)


def agreeing(folder: Path) -> float:
    """tag_agreement."""
    subjects = []
    for i in range(_DRAWN):
        scene = held_out_tagger_scene(i)
        scene.picture.save(folder / f"{i}.png")
        subjects.append(scene.subject)
    config = folder / "caption.json"
    captioner = {"kind": "tagger", "threshold": 0.5}
    config.write_text(json.dumps({"folder": str(folder), "captioners": [captioner], "journal": str(folder / "journal")}))
    assert trainer(["caption", str(config)], Report(io.StringIO())) == 0
    return agreement((subject, (folder / f"{i}.txt").read_text().strip().split(", ")) for i, subject in enumerate(subjects))


def editing(folder: Path) -> dict[str, float]:
    """edit_10000_s and write_10000_s."""
    random = np.random.default_rng(0)
    texts = [", ".join(f"tag {n}" for n in random.choice(500, 24, replace=False)) for _ in range(10_000)]
    captions = [Captioned(folder / f"{i}.png", folder / f"{i}.txt", text, f"{i}.png") for i, text in enumerate(texts)]
    edits = [read_value(CaptionEdit, edit) for edit in _EDITS]
    begun = time.process_time()
    changes = differences(matching(captions, CaptionFilter(lacks=["none"])), edits)
    edited = time.process_time() - begun
    for one in captions:
        one.picture.touch()
        one.file.write_text(one.text + "\n")
    begun = time.monotonic()
    outcome = Journal(folder.parent / "edits").apply(changes, "three edits")
    written = time.monotonic() - begun
    assert outcome.done == len(changes) == 10_000
    assert read_folder(folder)[0].text == changes[0].after
    return {"edit_10000_s": edited, "write_10000_s": written}


def main() -> None:
    """Prints the figures."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--pictures", type=int, default=10_000)
    asked.add_argument("--json", action="store_true")
    options = asked.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        for name in ("look", "tag", "draw", "edit"):
            (Path(place) / name).mkdir()
        figures = editing(Path(place) / "edit") | {"tagging_over_bare": tagging(Path(place) / "tag")}
        figures["tag_agreement"] = agreeing(Path(place) / "draw")
        figures |= looking(Path(place) / "look", options.pictures)
    if options.json:
        print(json.dumps({name: round(value, 4) for name, value in figures.items()}))
    else:
        for name, value in figures.items():
            print(f"{name:20} {value:.3f}")


if __name__ == "__main__":
    main()
