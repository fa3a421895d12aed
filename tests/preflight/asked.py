"""A backend with models, files with headers, and what preflight finds in recipes that use them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from lib_extension.formats.kind import Kind
from lib_extension.plan import Facts, Plan, freeze, make_plan
from lib_extension.preflight import Finding, PictureFacts, check
from lib_extension.spec.errors import BadFile
from lib_extension.spec.inventory import Checkpoint, Embedding, FileKind, Inventory, Lora, Sampler, Scheduler, Style, Vae
from lib_extension.spec.recipe import Recipe
from lib_extension.stages import load_recipe

INVENTORY = Inventory(
    host="a1111",
    checkpoints=tuple(Checkpoint(f"{name}.safetensors [1234567890]", name, "1234567890") for name in ("photo", "large", "refine", "old2")),
    current="photo.safetensors [1234567890]",
    samplers=(Sampler("DPM++ 2M"), Sampler("Euler a", ("k_euler_a",))),
    schedulers=(Scheduler("automatic", "Automatic"), Scheduler("karras", "Karras")),
    upscalers=("None", "Lanczos", "R-ESRGAN 4x+"),
    latent_modes=("Latent",),
    loras=tuple(Lora(name) for name in ("brand", "brand_xl", "brand_peft", "broken", "misplaced", "few-lcm")),
    vaes=(Vae("mse.safetensors"), Vae("flux.safetensors")),
    embeddings=(Embedding("badhands"), Embedding("xlneg"), Embedding("wide", fits=False), Embedding("old2hands", width=1024)),
    styles=(Style("studio"),),
    scripts=("controlnet", "adetailer"),
    has_controlnet=True,
    controlnets=("canny15 [11111111]", "depth_xl [22222222]"),
    modules=("none", "canny", "depth_midas"),
    units=2,
    sends_maps=True,
)
SDXL = {"checkpoint": "large"}

KINDS: dict[tuple[FileKind, str], Kind] = {
    ("checkpoint", "photo"): Kind("checkpoint", "sd1", "ldm", side=512),
    ("checkpoint", "large"): Kind("checkpoint", "sdxl", "ldm", side=1024),
    ("checkpoint", "refine"): Kind("checkpoint", "unknown", "ldm"),
    ("checkpoint", "old2"): Kind("checkpoint", "sd2", "ldm", side=768),
    ("lora", "brand"): Kind("lora", "sd1", "kohya", "lora"),
    ("lora", "brand_xl"): Kind("lora", "sdxl", "kohya", "locon"),
    ("lora", "brand_peft"): Kind("lora", "sd1", "peft", "lora"),
    ("lora", "misplaced"): Kind("vae", naming="ldm", among=("sd1", "sd2", "sdxl")),
    ("vae", "mse.safetensors"): Kind("vae", naming="ldm", among=("sd1", "sd2", "sdxl")),
    ("vae", "flux.safetensors"): Kind("vae", naming="ldm", among=("sd3", "flux")),
    ("embedding", "badhands"): Kind("embedding", "sd1"),
    ("embedding", "xlneg"): Kind("embedding", "sdxl"),
    ("controlnet", "canny15"): Kind("controlnet", "sd1", "ldm"),
    ("controlnet", "depth_xl"): Kind("controlnet", "sdxl", "diffusers"),
}

SHA = "0" * 63
PICTURES = {f"{name}.png": SHA + digit for name, digit in (("drawing", "1"), ("black", "2"), ("white", "3"), ("part", "4"))}
FACTS = {
    PICTURES["drawing.png"]: PictureFacts(512, 512, 0.5),
    PICTURES["black.png"]: PictureFacts(512, 512, 0.0),
    PICTURES["white.png"]: PictureFacts(512, 512, 1.0),
    PICTURES["part.png"]: PictureFacts(512, 512, 0.25),
}
INPUTS = {"drawing": {"type": "image", "default": "drawing.png"}} | {
    name: {"type": "mask", "default": f"{name}.png"} for name in ("black", "white", "part")
}

UNIT = {"image": "drawing", "module": "canny", "model": "canny15"}


def headers(kind: FileKind, name: str) -> Kind | None:
    """As ModelFiles would read them."""
    if name == "broken":
        raise BadFile('"broken.safetensors" is not a sound safetensors file: it is cut off. Download or export it again.')
    return KINDS.get((kind, name.split(" [")[0]))


def base(**fields: Any) -> dict[str, Any]:
    """A stage that draws from text, with nothing wrong in it."""
    return {"id": "base", "type": "txt2img", "prompt": "a watch on a table", "width": 512, "height": 512, "seed": 7, **fields}


def redraw(type: str = "img2img", **fields: Any) -> dict[str, Any]:
    """A stage that works on the drawing, with nothing wrong in it."""
    drawn = {} if type in ("control", "mask") else {"prompt": "a watch", "seed": 7}
    return {"id": "redraw", "type": type, "takes": "drawing", **drawn, **fields}


def planned(stages: Sequence[Mapping[str, Any]], **more: Any) -> tuple[Plan, Recipe]:
    """The plan of a recipe with these stages."""
    recipe = freeze(load_recipe({"name": "test", "inputs": INPUTS, "stages": stages, **more}), Random(1))
    return make_plan(recipe, {}, PICTURES, Facts()), recipe


def find(*stages: Mapping[str, Any], inventories: Sequence[Inventory] = (INVENTORY,), **more: Any) -> tuple[Finding, ...]:
    """What preflight finds."""
    plan, recipe = planned(stages, **more)
    return check(plan, inventories, recipe, headers, FACTS.get)


def at(**fields: Any) -> tuple[Inventory, ...]:
    """The backend, different in these."""
    return (dataclasses.replace(INVENTORY, **fields),)
