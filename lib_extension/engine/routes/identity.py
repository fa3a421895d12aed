"""Our own routes: who answers, on what, and which files exactly it has. What programs need to know whether a picture can be reused."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import torch
from fastapi import APIRouter

from lib_extension.engine.server import Here, Server
from lib_extension.models.hashes import network_hash

ENGINE_VERSION = 1  # raised when equal calls come to give other pictures
NETWORK_DIGITS = 12  # of LoRAs and embeddings, as in infotexts

_PRECISIONS = {torch.float32: "fp32", torch.float16: "fp16", torch.bfloat16: "bf16"}


def add_routes(routes: APIRouter) -> None:
    routes.add_api_route("/atelier-engine/v1/identity", identity, methods=["GET"])
    routes.add_api_route("/atelier-engine/v1/hashes", hashes, methods=["POST"])


@dataclass(frozen=True)
class Files:
    """Names of files, as the lists of /sdapi have them."""

    checkpoints: list[str] = field(default_factory=list)
    loras: list[str] = field(default_factory=list)
    embeddings: list[str] = field(default_factory=list)
    vaes: list[str] = field(default_factory=list)
    upscalers: list[str] = field(default_factory=list)


async def identity(server: Here) -> dict[str, str]:
    """Two engines that answer the same here give the same pictures, but for the make of their GPUs."""
    placement = server.engine.placement
    told = [_PRECISIONS.get(placement.dtype, str(placement.dtype))]
    told += [placement.attention] if placement.attention != "sdpa" else []
    told += ["compiled"] if placement.compile else []
    # Local parts of a torch version, such as +cu126, name the build for a device, which is told anyway.
    libraries = f"torch-{version('torch').split('+')[0]}-diffusers-{version('diffusers')}"
    return {
        "software": "atelier-engine",
        "version": f"{ENGINE_VERSION}-{libraries}",
        "device": placement.device.type,
        "precision": "-".join(told),
    }


async def hashes(body: Files, server: Here) -> dict[str, Any]:
    """For each name the digits by which infotexts know the file; computed now where nobody has. Seconds for a big file, once."""
    return await server.aside(lambda: _hashes(body, server))


def _hashes(body: Files, server: Server) -> dict[str, Any]:
    library = server.library
    embeddings = {found.stem: found for found in library.embeddings()}
    upscalers = {found.stem: found for found in library.upscalers()}  # others than files are named, too
    return {
        "checkpoints": {name: library.checkpoint(name).short_hash for name in body.checkpoints},
        "loras": {name: network_hash(library.lora(name).path)[:NETWORK_DIGITS] for name in body.loras},
        "embeddings": {name: embeddings[name].sha256[:NETWORK_DIGITS] for name in body.embeddings if name in embeddings},
        "vaes": {name: library.vae(name).short_hash for name in body.vaes},
        "upscalers": {name: upscalers[name].short_hash for name in body.upscalers if name in upscalers},
    }
