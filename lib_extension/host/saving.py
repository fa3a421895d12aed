"""How does a picture get into the WebUI's own output folders, named as its user has set? By its own function for that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

_INFOTEXT = "parameters"


@dataclass(frozen=True)
class Saved:
    """A picture and what its name may be made of."""

    image: Image.Image
    texts: Mapping[str, str]  # that a PNG file holds; the infotext among them is what other formats get
    prompt: str
    seed: int | None
    is_drawn_anew: bool  # from words alone, by txt2img
    is_sheet: bool


def save(saved: Saved) -> str:
    """The file's name, as the WebUI tells it."""
    from modules import images, shared  # pyright: ignore[reportMissingImports]

    opts = shared.opts
    if saved.is_sheet:
        folder = opts.outdir_grids or opts.outdir_txt2img_grids
    else:
        folder = opts.outdir_samples or (opts.outdir_txt2img_samples if saved.is_drawn_anew else opts.outdir_img2img_samples)
    texts = dict(saved.texts)
    infotext = texts.pop(_INFOTEXT, "")  # of none, the WebUI would write "None"
    file, _ = images.save_image(
        saved.image,
        folder,
        "grid" if saved.is_sheet else "",
        seed=saved.seed,
        prompt=saved.prompt,
        extension=opts.grid_format if saved.is_sheet else opts.samples_format,
        info=infotext,
        grid=saved.is_sheet,
        existing_info=texts,
    )
    return str(file)
