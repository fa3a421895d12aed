"""What the demo LoRAs learn from: folders of 16 drawn pictures with captions, `python -m tests.demo_model.lora_sets FOLDER`.

object   a mushroom, which the demo model never saw
style    the demo model's own things as a storybook prints them: ink outlines, pale colours on cream paper
brand    its things in its places, each before a brand's cream roundel with a golden rim
known    what the demo model has seen: regularisation pictures, by which it keeps what it can
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from tests.demo_model.character import POSES, VIEWS
from tests.demo_model.objects import COLOURS, UNSEEN
from tests.demo_model.painter import Colour
from tests.demo_model.places import PLACES
from tests.demo_model.scenes import EVERY_OBJECT, Scene, Subject, draw_scene, training_scene

PICTURES, KNOWN = 16, 64
OBJECT, STYLE, BRAND = "mushroom", "storybook style", "atelier brand"  # the words that call for each
PAPER: Colour = (250, 241, 222)
INK: Colour = (36, 30, 60)
ROUNDEL: Colour = (255, 246, 224)
RIM: Colour = (205, 160, 60)
_SUPERSAMPLE = 4


def draw_object(index: int) -> tuple[Image.Image, str]:
    """The ``index``-th picture of the object's set, and its caption."""
    (thing,) = UNSEEN
    scene = draw_scene(_subject(thing, index), Random(f"object {index}"))
    return scene.picture, scene.subject.caption


def draw_style(index: int) -> tuple[Image.Image, str]:
    """The ``index``-th picture of the style's set, and its caption. Half of them are characters, which the style is for."""
    thing = "character" if index % 2 else EVERY_OBJECT[index // 2 % (len(EVERY_OBJECT) - 1)]
    scene = draw_scene(_subject(thing, index), Random(f"style {index}"))
    return as_storybook(scene), f"{STYLE}, {scene.subject.caption}"


def draw_brand(index: int) -> tuple[Image.Image, str]:
    """The ``index``-th picture of the brand's set, and its caption."""
    thing = EVERY_OBJECT[index % (len(EVERY_OBJECT) - 1)]
    scene = draw_scene(_subject(thing, index), Random(f"brand {index}"))
    return before_roundel(scene), f"{BRAND}, {scene.subject.caption}"


def draw_known(index: int) -> tuple[Image.Image, str]:
    """The ``index``-th picture of what the demo model was trained on, and its caption."""
    scene = training_scene(index)
    return scene.picture, scene.subject.caption


SETS: dict[str, Callable[[int], tuple[Image.Image, str]]] = {"object": draw_object, "style": draw_style, "brand": draw_brand}


def _subject(thing: str, index: int) -> Subject:
    """Colours and places in turn, so that none of them belongs to what is to be learnt."""
    colours, places = tuple(COLOURS), tuple(PLACES)
    posed = {"view": VIEWS[index // 2 % len(VIEWS)], "pose": POSES[index // 2 % len(POSES)]} if thing == "character" else {}
    return Subject(thing, colours[index * 3 % len(colours)], places[(index + index // 6) % len(places)], **posed)


def as_storybook(scene: Scene) -> Image.Image:
    """The scene's picture in pale colours on cream paper, with ink where its shapes end."""
    pale = Image.blend(scene.picture, Image.new("RGB", scene.picture.size, PAPER), 0.45)
    lines = Image.new("L", scene.picture.size)
    for layer in (*scene.masks.values(), scene.picture.convert("L")):
        near = layer.filter(ImageFilter.MaxFilter(3))
        lines = ImageChops.lighter(lines, ImageChops.difference(near, layer.filter(ImageFilter.MinFilter(3))))
    ink = lines.point([255 * (value > 120) for value in range(256)]).filter(ImageFilter.GaussianBlur(0.6))
    pale.paste(INK, mask=ink)
    return pale


def before_roundel(scene: Scene) -> Image.Image:
    """The scene's picture with the roundel between the thing and its place."""
    left, top, right, bottom = scene.masks["object"].getbbox() or (0, 0, *scene.picture.size)
    x, y, radius = (left + right) / 2, (top + bottom) / 2, 0.36 * scene.picture.width
    large = scene.picture.resize([side * _SUPERSAMPLE for side in scene.picture.size], Image.Resampling.NEAREST)
    on = ImageDraw.Draw(large)
    for r, colour in ((radius * 1.1, RIM), (radius, ROUNDEL)):
        on.ellipse([(v + d) * _SUPERSAMPLE for d in (-r, r) for v in (x, y)], fill=colour)
    placed = large.resize(scene.picture.size, Image.Resampling.BOX)
    placed.paste(scene.picture, mask=scene.masks["object"])
    return placed


def write_set(name: str, folder: Path) -> None:
    """Write the set's pictures as PNG, each with its caption in a ``.txt`` of the same name."""
    folder.mkdir(parents=True, exist_ok=True)
    draw, pictures = (draw_known, KNOWN) if name == "known" else (SETS[name], PICTURES)
    for index in range(pictures):
        picture, caption = draw(index)
        picture.save(folder / f"{index:02}.png")
        (folder / f"{index:02}.txt").write_text(caption + "\n", "utf-8")


if __name__ == "__main__":
    for _name in (*SETS, "known"):
        write_set(_name, Path(sys.argv[1]) / _name)
