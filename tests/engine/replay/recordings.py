"""The recorded exchanges: read, their cut pictures filled in, and compared with what the engine answers."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, PngImagePlugin

FOLDER = Path(__file__).parents[2] / "data" / "webui"

CUT = re.compile(r"^(data:image/png;base64,)?<base64 (PNG|JPEG)(?: (\d+)x(\d+) colortype (\d+))?( with tEXt/iTXt 'parameters')?,.*>$")
RECORDED_INFOTEXT = (
    "a photo of a cat\nNegative prompt: blurry\nSteps: 4, Sampler: Euler, Schedule type: Automatic, CFG scale: 7.0, Seed: 1, "
    "Size: 128x128, Model hash: d3a68a9e49, Model: tiny, Version: 1.10.1"
)
MODES = {0: "L", 2: "RGB", 6: "RGBA"}

DRAWN = ("subseed", "all_subseeds", "job_timestamp", "sd_model_hash")
"""Of `info`: other in every run."""

HASHES = re.compile(r"(Model hash: |tinylora: )[0-9a-f]+|\[[0-9a-f]{8}\]")


@dataclass(frozen=True)
class Recording:
    """One exchange with the real WebUI."""

    name: str
    method: str
    path: str
    body: Any
    raw_body: str | None
    status: int
    response: Any


def recordings(group: str) -> list[Recording]:
    return [read(file) for file in sorted((FOLDER / group).glob("*.json"))]


def read(file: Path) -> Recording:
    told = json.loads(file.read_text("utf-8"))
    request = told["request"]
    body = filled(request.get("body"))
    return Recording(file.stem, request["method"], request["path"], body, request.get("raw_body"), told["status"], told["response"])


def filled(value: Any) -> Any:
    """The value with a picture of the right size and mode wherever one was cut out."""
    if isinstance(value, dict):
        return {name: filled(item) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    found = CUT.match(value) if isinstance(value, str) else None
    return _picture(found) if found else value


def picture(width: int = 128, height: int = 128, mode: str = "RGB", infotext: str | None = None) -> str:
    """Base64 PNG of a drawing with edges."""
    image = Image.new("RGB", (width, height), (40, 90, 160))
    draw = ImageDraw.Draw(image)
    draw.ellipse((width // 8, height // 8, width * 7 // 8, height * 7 // 8), fill=(230, 200, 60))
    chunks = PngImagePlugin.PngInfo()
    if infotext:
        chunks.add_text("parameters", infotext)
    file = io.BytesIO()
    image.convert(mode).save(file, "PNG", pnginfo=chunks)
    return base64.b64encode(file.getvalue()).decode()


def described(text: str) -> str:
    """A picture of an answer in the recordings' words, without its length."""
    image = Image.open(io.BytesIO(base64.b64decode(text)))
    assert image.format is not None
    colour = {"L": 0, "RGB": 2, "RGBA": 6}[image.mode]
    written = " with tEXt/iTXt 'parameters'" if "parameters" in image.info else ""
    return f"<base64 {image.format} {image.width}x{image.height} colortype {colour}{written}>"


def without_length(text: str) -> str:
    return re.sub(r", \d+ chars>$", ">", text)


def settled(info: dict[str, Any]) -> dict[str, Any]:
    """`info` without what chance, the clock and the random model decide."""
    kept = {name: value for name, value in info.items() if name not in DRAWN}
    kept["infotexts"] = [without_hashes(text) for text in info["infotexts"]]
    kept["extra_generation_params"] = {name: _without_hashes_in(value) for name, value in info["extra_generation_params"].items()}
    return kept


def without_hashes(text: str) -> str:
    return HASHES.sub(lambda found: (found[1] or "[") + "…", text)


def shape_of(value: Any) -> Any:
    """Keys and kinds of a value: 1 and 1.5 are both numbers, and a list is known by its first element."""
    if isinstance(value, dict):
        return {name: shape_of(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape_of(value[0])] if value else []
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def _without_hashes_in(value: Any) -> Any:
    return without_hashes(value) if isinstance(value, str) else value


def _picture(found: re.Match[str]) -> str:
    prefix, _, width, height, colour, infotext = found.groups()
    text = picture(int(width or 64), int(height or 64), MODES[int(colour or 2)], RECORDED_INFOTEXT if infotext else None)
    return (prefix or "") + text
