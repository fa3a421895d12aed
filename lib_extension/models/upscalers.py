"""Which upscalers are there, and how do they enlarge a picture, as the WebUI does?

Of upscaler files, ESRGAN's are loaded, by our own network. spandrel, which knows many more, needs torchvision, and one that does not fit
its torch makes peft and diffusers unimportable.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from lib_extension.models.esrgan import enlarge, load_esrgan
from lib_extension.models.library import Found, Library, refuse_pickle
from lib_extension.spec.errors import BadRequest, near_miss

RESAMPLINGS = {"Lanczos": Image.Resampling.LANCZOS, "Nearest": Image.Resampling.NEAREST}
PLAIN = ("None", *RESAMPLINGS)
FILE_SCALE = 4  # what the WebUI lists for every upscaler, whatever it does
MOST_PASSES = 3
CPU = torch.device("cpu")


def upscaler_names(library: Library) -> list[str]:
    """The names that ``upscale`` takes: the WebUI's plain ones, then the files in models/ESRGAN and models/RealESRGAN."""
    return [*PLAIN, *(found.stem for found in library.upscalers())]


def upscale(name: str, image: Image.Image, scale: float, library: Library, device: torch.device = CPU) -> Image.Image:
    """``image`` at ``scale`` times its size, rounded down to multiples of 8 (but 8 at least), by the WebUI's rules.

    The upscaler only ever enlarges; what is then missing or too much, Lanczos evens out. "None" leaves everything to Lanczos.
    Raises ``BadRequest`` for an unknown name, ``BadFile`` for a file that is no ESRGAN network's.
    """
    wanted = (max(8, int(image.width * scale // 8 * 8)), max(8, int(image.height * scale // 8 * 8)))
    file = None if name in PLAIN else _file(name, library)
    if scale == 1 or _smaller(image, wanted):
        if file:
            image = _by_file(file, image, wanted, device)
        elif name in RESAMPLINGS:
            image = image.resize((int(image.width * scale), int(image.height * scale)), RESAMPLINGS[name])
    return image if image.size == wanted else image.resize(wanted, Image.Resampling.LANCZOS)


def _by_file(found: Found, image: Image.Image, wanted: tuple[int, int], device: torch.device) -> Image.Image:
    """The network enlarges by its own factor, again while the picture is too small."""
    refuse_pickle(found.path, "upscaler")
    network = load_esrgan(found.path, device)
    for _ in range(MOST_PASSES):
        pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1) / 255  # (3, H, W)
        larger = enlarge(network, pixels).mul(255).round().to(torch.uint8)
        image = Image.fromarray(larger.permute(1, 2, 0).numpy())
        if network.factor == 1 or not _smaller(image, wanted):
            break
    return image


def _smaller(image: Image.Image, wanted: tuple[int, int]) -> bool:
    return image.width < wanted[0] or image.height < wanted[1]


def _file(name: str, library: Library) -> Found:
    for found in library.upscalers():
        if name in (found.stem, found.file):
            return found
    names = upscaler_names(library)
    raise BadRequest(f'There is no upscaler "{name}".{near_miss(name, names) or " There are: " + ", ".join(names) + "."}')
