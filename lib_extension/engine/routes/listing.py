"""What is there to choose from? Samplers, models and the other lists of /sdapi, and the calls that look for new files."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from fastapi import APIRouter

from lib_extension.engine.samplers import SAMPLERS
from lib_extension.engine.schedules import SCHEDULES
from lib_extension.engine.scripts import ALWAYS_ON, SELECTABLE, script_info
from lib_extension.engine.server import Here, Server
from lib_extension.formats.safetensors_header import Header, read_header
from lib_extension.models.library import Found
from lib_extension.models.upscalers import FILE_SCALE, upscaler_names
from lib_extension.spec.errors import AtelierError

LATENT_MODES = (
    "Latent",
    "Latent (antialiased)",
    "Latent (bicubic)",
    "Latent (bicubic antialiased)",
    "Latent (nearest)",
    "Latent (nearest-exact)",
)


def add_routes(routes: APIRouter) -> None:
    for path, get in GETS.items():
        routes.add_api_route(f"/sdapi/v1/{path}", get, methods=["GET"], response_model=None)
    for path, refresh in REFRESHES.items():
        routes.add_api_route(f"/sdapi/v1/{path}", refresh, methods=["POST"], response_model=None)


async def samplers() -> list[dict[str, Any]]:
    return [{"name": sampler.name, "aliases": list(sampler.aliases), "options": sampler.options} for sampler in SAMPLERS]


async def schedulers() -> list[dict[str, Any]]:
    return [
        {
            "name": schedule.name,
            "label": schedule.label,
            "aliases": list(schedule.aliases) or None,
            "default_rho": schedule.default_rho,
            "need_inner_model": schedule.need_inner_model,
        }
        for schedule in SCHEDULES
    ]


async def upscalers(server: Here) -> list[dict[str, Any]]:
    files = {found.stem for found in server.library.upscalers()}
    return [
        {"name": name, "model_name": name if name in files else None, "model_path": None, "model_url": None, "scale": FILE_SCALE}
        for name in upscaler_names(server.library)
    ]


async def latent_upscale_modes() -> list[dict[str, Any]]:
    return [{"name": name} for name in LATENT_MODES]


async def sd_models(server: Here) -> list[dict[str, Any]]:
    return await server.aside(lambda: [_checkpoint_item(found) for found in server.library.checkpoints()])


async def sd_vae(server: Here) -> list[dict[str, Any]]:
    return [{"model_name": PurePosixPath(found.file).name, "filename": f"models/VAE/{found.file}"} for found in server.library.vaes()]


async def loras(server: Here) -> list[dict[str, Any]]:
    return await server.aside(lambda: [_lora_item(found) for found in server.library.loras()])


async def embeddings(server: Here) -> dict[str, Any]:
    return await server.aside(lambda: _embeddings(server))


async def scripts() -> dict[str, list[str]]:
    names = [*SELECTABLE, *ALWAYS_ON]
    return {"txt2img": names, "img2img": names}


async def script_infos() -> list[dict[str, Any]]:
    return script_info()


async def nothing_of_the_kind() -> list[Any]:
    """Hypernetworks, face restorers, RealESRGAN downloads, styles and extensions: the engine has none."""
    return []


async def refresh(server: Here) -> None:
    """In its turn, so that no file list changes under a running call."""
    await server.in_turn_unseen("refresh", server.library.refresh)


GETS = {
    "samplers": samplers,
    "schedulers": schedulers,
    "upscalers": upscalers,
    "latent-upscale-modes": latent_upscale_modes,
    "sd-models": sd_models,
    "sd-vae": sd_vae,
    "loras": loras,
    "embeddings": embeddings,
    "scripts": scripts,
    "script-info": script_infos,
    "hypernetworks": nothing_of_the_kind,
    "face-restorers": nothing_of_the_kind,
    "realesrgan-models": nothing_of_the_kind,
    "prompt-styles": nothing_of_the_kind,
    "extensions": nothing_of_the_kind,
}

REFRESHES = {"refresh-checkpoints": refresh, "refresh-vae": refresh, "refresh-loras": refresh, "refresh-embeddings": refresh}


def _checkpoint_item(found: Found) -> dict[str, Any]:
    """`filename` starts at the models folder: where that lies is nobody's business. Hashes are null until somebody needed them."""
    sha256 = found.hashes.known(found.path)
    return {
        "title": found.title,
        "model_name": found.name,
        "hash": sha256[:10] if sha256 else None,
        "sha256": sha256,
        "filename": f"models/Stable-diffusion/{found.file}",
        "config": None,
    }


def _lora_item(found: Found) -> dict[str, Any]:
    header = _header(found)
    metadata = header.metadata if header else {}
    alias = metadata.get("ss_output_name") or found.stem
    return {"name": found.stem, "alias": alias, "path": f"models/Lora/{found.file}", "metadata": metadata}


def _header(found: Found) -> Header | None:
    """None for a file that cannot be read: it is listed all the same, and refused when it is used."""
    try:
        return read_header(found.path)
    except AtelierError:
        return None


def _embeddings(server: Server) -> dict[str, Any]:
    """Loaded are those that fit the checkpoint's text encoder; without a checkpoint nothing is known to misfit."""
    loaded = server.engine.loaded
    width = loaded.checkpoint.text_encoders[0].config.hidden_size if loaded else None
    answer: dict[str, dict[str, Any]] = {"loaded": {}, "skipped": {}}
    for found in server.library.embeddings():
        item = _embedding_item(found)
        if item is not None:
            fits = width is None or item["shape"] == width
            answer["loaded" if fits else "skipped"][found.stem] = item
    return answer


def _embedding_item(found: Found) -> dict[str, Any] | None:
    header = _header(found)
    shapes = [tensor.shape for name, tensor in header.tensors.items() if name in ("emb_params", "clip_l")] if header else []
    if not shapes or len(shapes[0]) != 2:
        return None
    vectors, width = shapes[0]
    return {"step": None, "sd_checkpoint": None, "sd_checkpoint_name": None, "shape": width, "vectors": vectors}
