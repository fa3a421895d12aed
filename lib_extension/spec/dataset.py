"""What may be asked of a folder of pictures before it is trained on: a check of it, and a prepared copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field


@dataclass(frozen=True)
class CheckLimits(Settings):
    """From where on something is told."""

    smallest: int = field(384, label="Tiny below", minimum=16, maximum=8192, help="Pixels of the shorter side.")
    blurred: float = field(
        40.0, label="Blurred below", minimum=0, maximum=10000, help="Sharpness of the sharpest parts; photographs in focus have hundreds."
    )
    dark: float = field(35.0, label="Dark below", minimum=0, maximum=255, help="Mean brightness.")
    bright: float = field(222.0, label="Bright above", minimum=0, maximum=255, help="Mean brightness.")
    clipped: float = field(0.5, label="Clipped above", minimum=0, maximum=1, help="Share of pixels that are all black or all white.")
    alike: int = field(8, label="Alike up to", minimum=0, maximum=32, help="Differing bits of 64 in the pictures' perceptual hashes.")
    lost: float = field(
        0.15, label="Cut above", minimum=0, maximum=1, help="Share of a picture, or of its subject, that a crop takes away."
    )


@dataclass(frozen=True)
class CheckSettings(Settings):
    """Look at every picture of a folder and say what is wrong with it."""

    folder: str = field(label="Folder", help="Of pictures; nothing in it is altered.")
    report: str = field(
        "", label="Report into", help="A folder for report.html and report.json; empty: with the job, or beside the folder, -report added."
    )
    nested: bool = field(True, label="Folders in it, too")
    resolution: int = field(512, label="Resolution of the training", minimum=64, maximum=4096, step=64)
    subject: Literal["", "object", "face"] = field(
        "", label="Find the subject", help="With the network for parts, so that crops that cut it are told.", advanced=True
    )
    network: str = field("", label="Network for parts", help="A folder with its model.onnx; empty: the demo's.", advanced=True)
    limits: CheckLimits = field(CheckLimits(), label="Limits", advanced=True)


@dataclass(frozen=True)
class Box(Settings):
    """A part of a picture, as shares of its width and height from the upper left."""

    left: float = field(minimum=0, maximum=1)
    top: float = field(minimum=0, maximum=1)
    right: float = field(minimum=0, maximum=1)
    bottom: float = field(minimum=0, maximum=1)

    def check(self) -> None:
        """BadRequest for a box with nothing in it."""
        if self.left >= self.right or self.top >= self.bottom:
            raise BadRequest(f"The box from {self.left:g}, {self.top:g} to {self.right:g}, {self.bottom:g} has nothing in it.")


Crop = Literal["none", "centre", "subject"]
Background = Literal["keep", "colour", "mask"]


@dataclass(frozen=True)
class PrepareSettings(Settings):
    """Write a folder's pictures as training wants them into another folder. The first stays as it is."""

    folder: str = field(label="Folder")
    into: str = field(
        label="Into the folder",
        help="Captions and masks go along. What was made there before is kept, made anew or removed; what you changed or put there stays.",
    )
    nested: bool = field(True, label="Folders in it, too")
    leave_out: list[str] = field([], label="Leave out", help="Pictures by their path in the folder, such as duplicates.")
    crop: Crop = field("none", label="Crop", help="subject: around what the network for parts finds, or what masks show.")
    aspect: str = field("", label="To the shape", help='Width to height, such as "1:1" or "2:3"; empty: as it is.', advanced=True)
    boxes: dict[str, Box] = field(
        {}, label="Boxes by hand", help="By the picture's path in the folder; they go before the crop.", advanced=True
    )
    margin: float = field(0.1, label="Room around the subject", minimum=0, maximum=1, help="Share of its size.", advanced=True)
    resize: int = field(0, label="Shorter side", minimum=0, maximum=8192, help="Pixels; 0: as it is. Larger pictures are made smaller.")
    enlarge: Literal["no", "lanczos", "upscaler"] = field("no", label="Enlarge smaller ones")
    upscaler: str = field("", label="Upscaler's file", help="An ESRGAN model, .safetensors.", advanced=True)
    background: Background = field("keep", label="Background", help="colour: filled. mask: kept, and a mask is written beside the picture.")
    colour: str = field("#ffffff", label="Colour of the background", advanced=True)
    masks: str = field(
        "", label="Masks", help="A folder with masks of the same names; empty: the network for parts finds the object.", advanced=True
    )
    network: str = field("", label="Network for parts", help="A folder with its model.onnx; empty: the demo's.", advanced=True)
    format: Literal["png", "jpg", "webp"] = field("png", label="Format")
    quality: int = field(95, label="Quality", minimum=1, maximum=100, help="Of jpg and webp.", advanced=True)
    processes: int = field(0, label="Processes", minimum=0, maximum=256, help="0: one for each core.", advanced=True)
