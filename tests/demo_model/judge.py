"""How good is the demo model? `python -m tests.demo_model.judge [--json]`: fixed seeds, captions that training never saw."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false, reportIndexIssue=false
# pyright: reportOptionalMemberAccess=false, reportOptionalSubscript=false
# (diffusers' annotations are wider or narrower than what it does; a pipeline's optional parts are not marked so)

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import httpx
import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image, ImageDraw, ImageFilter

from lib_extension.backend.client import Client
from lib_extension.backend.engine_process import running_engine
from lib_extension.models.tagger import Tagger
from lib_extension.pictures.png import encode_base64
from lib_extension.spec.sdapi import Img2Img, Txt2Img
from tests.demo_model.hints import canny
from tests.demo_model.objects import COLOURS
from tests.demo_model.places import PLACES
from tests.demo_model.scenes import SIZE, TAGGED_OBJECTS, Scene, held_out_scene

DEMO = Path(__file__).parents[2] / "lib_extension" / "models" / "demo"
PICTURES, DRAWN, INPAINTED = 240, 600, 8
TOLERANCE = 2  # px by which an edge may be off
WORDS = {"colour": tuple(COLOURS), "place": tuple(PLACES), "object": TAGGED_OBJECTS}
WANTED = {"colour": 0.90, "place": 0.95, "object": 0.80, "tagger": 0.98, "edges": 0.70, "edges_without": None, "outside_mask_max": 0}


@dataclass(frozen=True)
class Verdict:
    """What the judge found, each share from 0 to 1.

    ``colour place object``: how often the tagger finds what was asked for. ``tagger``: its own accuracy on drawn scenes, the worst of the
    three. ``edges``: agreement with the control edges, where 0 is that with another scene's and 1 that of the VAE's round trip;
    ``edges_without`` the same without the ControlNet. ``outside_mask_max``: the largest difference (0..255) outside the paste-back mask.
    """

    colour: float
    place: float
    object: float
    tagger: float
    edges: float
    edges_without: float
    outside_mask_max: int


def found(tagger: Tagger, picture: Image.Image) -> dict[str, str]:
    """The most probable colour, place and object."""
    scores = tagger.tags(picture)
    return {group: max(words, key=lambda word: scores[word]) for group, words in WORDS.items()}


def share_right(tagger: Tagger, scenes: list[Scene], pictures: list[Image.Image]) -> dict[str, float]:
    """For each of colour, place and object how often the picture shows the scene's."""
    seen = [found(tagger, picture) for picture in pictures]
    return {
        group: sum(tags[group] == getattr(scene.subject, group) for tags, scene in zip(seen, scenes, strict=True)) / len(scenes)
        for group in WORDS
    }


def edge_f1(made: Image.Image, wanted: Image.Image) -> float:
    """F1 of two edge maps (mode L); an edge counts as found within TOLERANCE pixels.

    After Martin et al. 2004 (doi:10.1109/TPAMI.2004.1273918), without their one-to-one matching.
    """
    size = 2 * TOLERANCE + 1
    a, b = (np.asarray(edges) > 0 for edges in (made, wanted))
    near_a, near_b = (np.asarray(edges.filter(ImageFilter.MaxFilter(size))) > 0 for edges in (made, wanted))
    precision = (a & near_b).sum() / max(1, a.sum())
    recall = (b & near_a).sum() / max(1, b.sum())
    return 2 * precision * recall / max(1e-9, precision + recall)


def mean_f1(pictures: list[Image.Image], scenes: list[Scene], shift: int = 0) -> float:
    """The mean F1 of the pictures' edges and the scenes'; ``shift`` compares with other scenes."""
    wanted = scenes[shift:] + scenes[:shift]
    return float(np.mean([edge_f1(canny(p), canny(s.picture)) for p, s in zip(pictures, wanted, strict=True)]))


@torch.no_grad()
def round_trip(scenes: list[Scene]) -> list[Image.Image]:
    """The scenes' pictures after the VAE: the best that edges can come out."""
    vae = AutoencoderKL.from_pretrained(DEMO / "vae").float().eval()
    back = []
    for scene in scenes:
        values = torch.from_numpy(np.asarray(scene.picture).copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
        decoded = vae.decode(vae.encode(values).latent_dist.mean).sample[0]
        back.append(Image.fromarray(((decoded.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()))
    return back


def request(scene: Scene, seed: int) -> Txt2Img:
    """The scene's caption as a request."""
    return Txt2Img(prompt=scene.subject.caption, seed=seed, steps=20, cfg_scale=5, width=SIZE, height=SIZE, sampler_name="DDIM")


def make(client: Client, scenes: list[Scene], controlnet: str | None) -> list[Image.Image]:
    """A picture for each scene from its caption, with its edges as control where ``controlnet`` names a model."""
    made = []
    for seed, scene in enumerate(scenes):
        asked = asdict(request(scene, seed))
        if controlnet:
            unit = {"enabled": True, "module": "canny", "model": controlnet, "image": encode_base64(scene.picture), "processor_res": SIZE}
            asked["alwayson_scripts"] = {"controlnet": {"args": [unit]}}
        made.append(client.generate(Txt2Img(**asked)).images[0])
    return made


def outside_mask_max(client: Client, scenes: list[Scene]) -> int:
    """Redraw an ellipse in each scene, in all four ways; return the largest difference where the paste-back mask is 0."""
    worst = 0
    for seed, scene in enumerate(scenes):
        random, mask = Random(seed), Image.new("L", (SIZE, SIZE))
        x, y = random.randint(30, 98), random.randint(30, 98)
        ImageDraw.Draw(mask).ellipse([x - 22, y - 17, x + 22, y + 17], fill=255)
        for blur, whole in ((0, False), (0, True), (4, False), (4, True)):
            asked = Img2Img(
                prompt=scene.subject.caption,
                init_images=[encode_base64(scene.picture)],
                mask=encode_base64(mask),
                mask_blur=blur,
                inpaint_full_res=not whole,
                inpaint_full_res_padding=16,
                inpainting_fill=1,
                denoising_strength=0.8,
                steps=10,
                seed=seed,
                width=SIZE,
                height=SIZE,
                sampler_name="DDIM",
            )
            made = client.generate(asked).images[0].convert("RGB")
            reach = 2 * int(2.5 * blur + 0.5) + 1  # the width of the WebUI's blur
            outside = np.asarray(mask.filter(ImageFilter.MaxFilter(reach)) if blur else mask) == 0
            off = np.abs(np.asarray(made, int) - np.asarray(scene.picture, int)).max(2)
            worst = max(worst, int(off[outside].max()))
    return worst


def judge(sheet: Path | None = None) -> Verdict:
    """Start the engine with the demo model and judge it; ``sheet`` is where to put some of the pictures."""
    scenes = [held_out_scene(i) for i in range(PICTURES)]
    drawn = [held_out_scene(i) for i in range(PICTURES, PICTURES + DRAWN)]
    tagger = Tagger(DEMO / "tagger")
    with tempfile.TemporaryDirectory() as folder, running_engine("demo", Path(folder) / "engine.log") as url:
        client = Client(url, httpx.HTTPTransport())
        plain = make(client, scenes, None)
        guided = make(client, scenes, client.controlnets()[0])
        outside = outside_mask_max(client, scenes[:INPAINTED])
        client.close()
    if sheet:
        write_sheet(scenes, plain, guided, sheet)
    shuffled, best = mean_f1(guided, scenes, shift=1), mean_f1(round_trip(scenes), scenes)
    return Verdict(
        **share_right(tagger, scenes, plain),
        tagger=min(share_right(tagger, drawn, [s.picture for s in drawn]).values()),
        edges=(mean_f1(guided, scenes) - shuffled) / (best - shuffled),
        edges_without=(mean_f1(plain, scenes) - shuffled) / (best - shuffled),
        outside_mask_max=outside,
    )


def write_sheet(scenes: list[Scene], plain: list[Image.Image], guided: list[Image.Image], path: Path) -> None:
    """Twelve columns: the drawn scene, the picture from its caption, its edges, the picture from caption and edges."""
    sheet = Image.new("RGB", (12 * SIZE, 8 * SIZE))
    for i in range(24):
        rows = (scenes[i].picture, plain[i], canny(scenes[i].picture).convert("RGB"), guided[i])
        for row, picture in enumerate(rows):
            sheet.paste(picture, (i % 12 * SIZE, (i // 12 * 4 + row) * SIZE))
    sheet.save(path)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true", help="one line of JSON")
    options.add_argument("--sheet", type=Path, help="write some of the pictures here")
    chosen = options.parse_args()
    verdict = asdict(judge(chosen.sheet))
    if chosen.json:
        print(json.dumps({name: round(value, 4) for name, value in verdict.items()}))
        return
    for name, value in verdict.items():
        wanted = WANTED[name]
        print(f"{name:17} {value:7.3f}   wanted {'well below edges' if wanted is None else wanted}")


if __name__ == "__main__":
    main()
