"""Which weights do masks need in the worker? Named as it lists them: "detector/face_yolov8n", "text/clipseg"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ENDING = ".onnx"


def weights_in(masks: Any) -> Iterator[str]:
    """Those of masks in their JSON: one, several, or combined ones."""
    if isinstance(masks, Mapping):
        yield from _of_one(masks)
    for inner in masks.values() if isinstance(masks, Mapping) else masks if isinstance(masks, (list, tuple)) else ():
        yield from weights_in(inner)


def _of_one(mask: Mapping[str, Any]) -> Iterator[str]:
    kind = mask.get("kind")
    if kind == "detector":
        yield f"detector/{_bare(mask['model'])}"
    elif kind == "background" and mask.get("engine") == "rembg":
        yield f"background/{_bare(mask['model'])}"
    elif kind == "text":
        yield "text/clipseg"
    elif kind == "parts":
        yield "parts/parts"


def _bare(model: Any) -> str:
    return str(model).removesuffix(ENDING)
