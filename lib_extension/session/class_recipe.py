"""How do a folder's captions become a recipe that draws pictures of the class? One stage, with a row for each picture."""

from __future__ import annotations

from pathlib import Path

from lib_extension.captions.class_captions import class_captions
from lib_extension.captions.files import read_folder
from lib_extension.captions.tags import caption_of, escaped, tags_of
from lib_extension.session.asked import Asked
from lib_extension.spec.class_pictures import ClassPicturesSettings
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import to_json
from lib_extension.stages import load_recipe

CAPTION = "caption"  # the row's own name for what is written beside its picture
_DRAWN_WITH = ("negative_prompt", "checkpoint", "sampler_name", "scheduler", "steps", "cfg_scale", "width", "height", "seed")


def class_recipe(settings: ClassPicturesSettings) -> Asked:
    """The run that draws them. BadRequest where there are no captions, or the folder for them is that of the pictures."""
    folder, into = Path(settings.folder).expanduser(), Path(settings.into).expanduser()
    if into.resolve().is_relative_to(folder.resolve()):
        raise BadRequest(
            f'into is "{settings.into}", in the folder of the pictures; class pictures there would be trained on as those are.'
        )
    captions = class_captions(read_folder(folder, settings.ending, settings.nested), settings.trigger, settings.instead)
    rows = [{CAPTION: caption, "prompt": _prompt(caption)} for caption in captions for _ in range(settings.each)]
    drawn_with = {name: value for name, value in to_json(settings).items() if name in _DRAWN_WITH}
    stage = {"id": "class", "type": "txt2img", "prompt": "{prompt}", "seed_policy": "per item", **drawn_with}
    about = f"What {len(captions)} captions of {folder.name} say without {settings.trigger or 'a trigger word'}."
    return Asked(
        recipe=load_recipe({"name": "class-pictures", "title": "Class pictures", "about": about, "rows": rows, "stages": [stage]}),
        confirmed=True,  # the number is what was asked for: of each caption so many
    )


def _prompt(caption: str) -> str:
    """Brackets in a caption are brackets; in a prompt they would be emphasis."""
    return caption_of(escaped(tag) for tag in tags_of(caption))
