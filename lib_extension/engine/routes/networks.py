"""Our own routes: part masks, depth and tags of a picture. They need no checkpoint, and answer while a generation runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from lib_extension.engine.routes.extras import decoded
from lib_extension.engine.server import Here
from lib_extension.pictures.png import encode_base64


def add_routes(routes: APIRouter) -> None:
    routes.add_api_route("/atelier-engine/v1/parts", parts, methods=["POST"])
    routes.add_api_route("/atelier-engine/v1/depth", depth, methods=["POST"])
    routes.add_api_route("/atelier-engine/v1/tags", tags, methods=["POST"])


@dataclass(frozen=True)
class Picture:
    """The body of each of them: base64 or a data URL."""

    image: str


async def parts(body: Picture, server: Here) -> dict[str, Any]:
    """`masks`: for each part's name a grey PNG of the picture's size, white where the part is."""

    def find() -> dict[str, str]:
        masks = server.judges.masks(decoded(server, body.image, "image").convert("RGB"))
        return {name: encode_base64(mask) for name, mask in masks.items()}

    return {"masks": await server.aside(find)}


async def depth(body: Picture, server: Here) -> dict[str, Any]:
    """`image`: a grey PNG of the picture's size, near is bright."""
    return {"image": await server.aside(lambda: encode_base64(server.judges.depth(decoded(server, body.image, "image").convert("RGB"))))}


async def tags(body: Picture, server: Here) -> dict[str, Any]:
    """`tags`: for each tag its score from 0 to 1."""
    return {"tags": await server.aside(lambda: server.judges.tags(decoded(server, body.image, "image").convert("RGB")))}
