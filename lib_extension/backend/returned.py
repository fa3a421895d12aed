"""What came back from a generation? The pictures asked for, told apart from grids, masks and control maps."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from PIL import Image

from lib_extension.backend.errors import WrongAnswer
from lib_extension.formats.infotext import parse_infotext
from lib_extension.pictures.png import open_picture, read_text_chunks


@dataclass(frozen=True)
class File:
    """A picture's file as it was sent."""

    data: bytes

    @cached_property
    def image(self) -> Image.Image:
        """Decoded."""
        return open_picture(self.data, what="A picture from the backend")

    @property
    def is_png(self) -> bool:
        """Whether nothing was lost on the way."""
        return self.data.startswith(b"\x89PNG")

    @cached_property
    def has_infotext(self) -> bool:
        """Pictures have one; masks and maps have none."""
        return "parameters" in read_text_chunks(self.image)


@dataclass(frozen=True)
class Returned:
    """An answer of txt2img or img2img, read but not yet believed."""

    pictures: tuple[File, ...]
    extras: tuple[File, ...]  # maps and masks, in their order
    infotexts: tuple[str, ...]  # one a picture
    seeds: tuple[int, ...]
    info: Mapping[str, Any]

    @cached_property
    def fields(self) -> tuple[Mapping[str, str], ...]:
        """Each infotext's fields."""
        return tuple(parse_infotext(text) for text in self.infotexts)


def read_returned(answer: Any, where: str) -> Returned:
    """Raises WrongAnswer for what is no answer of /sdapi."""
    try:
        info = json.loads(answer["info"])
        first = int(info.get("index_of_first_image", 0))
        files = [File(base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text)) for text in answer["images"]]
        infotexts = tuple(str(text) for text in info["infotexts"][first:])
        seeds = tuple(int(seed) for seed in info["all_seeds"])
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        raise WrongAnswer(f"{where} answered without the pictures' information: is it a WebUI?") from error
    pictures = _pictures(files[first:], len(infotexts))
    extras = [file for file in files[first:] if not any(file is picture for picture in pictures)]
    return Returned(tuple(pictures), tuple(extras), infotexts, seeds, info)


def _pictures(files: Sequence[File], infotexts: int) -> list[File]:
    """Those that carry an infotext: masks may stand between pictures, maps stand behind them. Where none carries one, as many as told."""
    told = [file for file in files if file.has_infotext]
    return told or list(files[:infotexts])
