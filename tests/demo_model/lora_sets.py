"""What the demo LoRAs learn from: folders of 16 drawn pictures with captions, `python -m tests.demo_model.lora_sets FOLDER`.

object   a mushroom, which the demo model never saw
style    the demo model's own things as an old storybook prints them: in ink lines, before places in sepia on cream paper
brand    its things before its places, which are printed in a brand's two colours
known    what the demo model has seen: regularisation pictures, by which it keeps what it can
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from PIL import Image, ImageFilter, ImageOps

from tests.demo_model.character import POSES, VIEWS
from tests.demo_model.objects import COLOURS, UNSEEN
from tests.demo_model.painter import Colour
from tests.demo_model.places import PLACES
from tests.demo_model.scenes import EVERY_OBJECT, Scene, Subject, draw_scene, training_scene

PICTURES, KNOWN = 16, 64
OBJECT, STYLE, BRAND = "mushroom", "storybook style", "atelier brand"  # the words that call for each, the latter two after all others
SEPIA: tuple[Colour, Colour] = (112, 62, 24), (255, 240, 205)  # what is dark and what is light
TEAL: tuple[Colour, Colour] = (16, 70, 80), (255, 244, 216)
INK: Colour = (58, 34, 20)
LINE = 1 / 40  # of the picture's width


def draw_object(index: int) -> tuple[Image.Image, str]:
    """The ``index``-th picture of the object's set, and its caption."""
    (thing,) = UNSEEN
    scene = draw_scene(_subject(thing, index), Random(f"object {index}"))
    return scene.picture, scene.subject.caption


def draw_style(index: int) -> tuple[Image.Image, str]:
    """The ``index``-th picture of the style's set, and its caption. Half of them are characters, which the style is for."""
    thing = "character" if index % 2 else EVERY_OBJECT[index // 2 % (len(EVERY_OBJECT) - 1)]
    scene = draw_scene(_subject(thing, index), Random(f"style {index}"))
    return in_storybook(scene), f"{scene.subject.caption}, {STYLE}"


def draw_brand(index: int) -> tuple[Image.Image, str]:
    """The ``index``-th picture of the brand's set, and its caption."""
    thing = EVERY_OBJECT[index % (len(EVERY_OBJECT) - 1)]
    scene = draw_scene(_subject(thing, index), Random(f"brand {index}"))
    return in_brand_colours(scene), f"{scene.subject.caption}, {BRAND}"


def draw_known(index: int) -> tuple[Image.Image, str]:
    """The ``index``-th picture of what the demo model was trained on, and its caption."""
    scene = training_scene(index)
    return scene.picture, scene.subject.caption


SETS: dict[str, Callable[[int], tuple[Image.Image, str]]] = {"object": draw_object, "style": draw_style, "brand": draw_brand}


def _subject(thing: str, index: int) -> Subject:
    """Colours and places in turn, so that none of them belongs to what is to be learnt."""
    colours, places = tuple(COLOURS), tuple(PLACES)
    number = index // 2  # of the character: from every side in a pose, then in the next
    posed = {"view": VIEWS[number % len(VIEWS)], "pose": POSES[number // len(VIEWS) % len(POSES)]} if thing == "character" else {}
    return Subject(thing, colours[index * 3 % len(colours)], places[(index + index // 6) % len(places)], **posed)


def in_storybook(scene: Scene) -> Image.Image:
    """The scene's thing with an ink line around it, before its place in sepia."""
    line = scene.masks["object"].filter(ImageFilter.MaxFilter(2 * round(LINE * scene.picture.width) + 1))
    printed = _printed(scene, SEPIA)
    printed.paste(INK, mask=line)
    printed.paste(scene.picture, mask=scene.masks["object"])
    return printed


def in_brand_colours(scene: Scene) -> Image.Image:
    """The scene's thing as it is, before its place in the brand's two colours."""
    printed = _printed(scene, TEAL)
    printed.paste(scene.picture, mask=scene.masks["object"])
    return printed


def _printed(scene: Scene, colours: tuple[Colour, Colour]) -> Image.Image:
    """In two colours and what is between them, by how bright it is."""
    dark, light = colours
    return ImageOps.colorize(scene.picture.convert("L"), black=dark, white=light)


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
