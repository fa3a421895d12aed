"""Our own routes: tags, an embedding, depth and masks of a picture. They need no checkpoint, and answer while a generation runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter

from lib_extension.engine.routes.extras import decoded
from lib_extension.engine.server import Here
from lib_extension.models.masks.found import Thing
from lib_extension.pictures.png import encode_base64
from lib_extension.spec.errors import BadRequest, TooLarge

MOST_IMAGES = 256
DIGITS = 12  # of a hash


def add_routes(routes: APIRouter) -> None:
    routes.add_api_route("/atelier-engine/v1/parts", parts, methods=["POST"])
    routes.add_api_route("/atelier-engine/v1/depth", depth, methods=["POST"])
    routes.add_api_route("/atelier-engine/v1/tags", tags, methods=["POST"])
    routes.add_api_route("/atelier-engine/v1/embedding", embedding, methods=["POST"])
    routes.add_api_route("/atelier-engine/v1/mask", mask, methods=["POST"])
    routes.add_api_route("/atelier-engine/v1/mask-networks", mask_networks, methods=["GET"])


@dataclass(frozen=True)
class Picture:
    """Base64 or a data URL."""

    image: str


@dataclass(frozen=True)
class Pictures:
    """One picture, or several."""

    image: str | None = None
    images: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class MaskOf:
    """``kind`` is a way of finding masks, and ``settings`` are its own."""

    image: str
    kind: str
    settings: dict[str, Any] = field(default_factory=dict)


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


async def embedding(body: Pictures, server: Here) -> dict[str, Any]:
    """`embeddings`: for each picture a vector of length 1; the scalar product of two says how alike the pictures are, at most 1.

    `network`: whose they are; those of different networks say nothing of each other.
    """
    named = [("image", body.image)] if body.image is not None else []
    named += [(f"images[{place}]", text) for place, text in enumerate(body.images)]
    if not named:
        raise BadRequest("There is no picture. Send image, or images, a list.")
    if len(named) > MOST_IMAGES:
        raise TooLarge(f"There are {len(named)} pictures; {MOST_IMAGES} at once are the most.")
    network = server.judges.embedding_network()

    def embed() -> list[list[float]]:
        return [server.judges.embedding(decoded(server, text, name), network) for name, text in named]

    return {"embeddings": await server.aside(embed), "network": network}


async def mask(body: MaskOf, server: Here) -> dict[str, Any]:
    """`mask`: a grey PNG of the picture's size, white where something was found, or null; `found`: how many things.

    `boxes`: for each of them [x0, y0, x1, y1, score, label], in pixels, the surest first.
    """

    def find() -> dict[str, Any]:
        found = server.judges.find_masks(body.kind, decoded(server, body.image, "image"), body.settings)
        image = None if found.mask is None else encode_base64(found.mask)
        return {"mask": image, "found": len(found.things), "boxes": [_box(thing) for thing in found.things]}

    return await server.aside(find)


async def mask_networks(server: Here) -> dict[str, str]:
    """Hash by "kind/name" of all weights that are there for finding masks, and of those that tags and embeddings come from."""
    return await server.aside(lambda: {name: server.library.sha256(path)[:DIGITS] for name, path in server.judges.files().items()})


def _box(thing: Thing) -> list[Any]:
    return [*(round(side, 1) for side in thing.box), round(thing.score, 4), thing.label]
