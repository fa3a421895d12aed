"""Who answers there, and what does it have? Found out by asking; nobody has to say which host it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib_extension.backend.dialects import dialect_of
from lib_extension.backend.errors import BackendError, Refused, WrongAnswer
from lib_extension.backend.wire import ROUTE_SECONDS, NoRoute, Wire
from lib_extension.spec.inventory import (
    Checkpoint,
    Embedding,
    FileKind,
    Host,
    Identity,
    Inventory,
    Lora,
    Network,
    Sampler,
    Scheduler,
    Style,
    Vae,
)

Known = Mapping[tuple[FileKind, str], str]
"""Hashes that the backend told in infotexts, by kind and name."""

DEFAULT_UNITS = 3
_REFRESHES = ("refresh-checkpoints", "refresh-loras", "refresh-vae", "refresh-embeddings")
_ENGINES_REFRESH = ("refresh-checkpoints",)  # each of them looks into all folders
_FULL_PRECISION = ("no_half", "all_in_fp32", "fp32_unet")
_HALF_FLAGS = {"all_in_fp16": "fp16", "unet_in_fp16": "fp16", "unet_in_bf16": "bf16"}


def probe_identity(wire: Wire, version: str = "") -> Identity:
    """Who it is. A WebUI whose routes are not live yet is waited for. `version` is given where it is known already."""
    try:
        told = wire.get("/atelier-engine/v1/identity")
        return Identity("engine", str(told["version"]), str(told["device"]), str(told["precision"]))
    except NoRoute:
        flags = _flags(wire)
    except (KeyError, TypeError) as error:
        raise WrongAnswer(f"{wire.name} says that it is an Atelier engine, but not which; is it of another version?") from error
    api = wire.get("/openapi.json")
    if not isinstance(api, dict) or not isinstance(api.get("paths"), dict):
        raise WrongAnswer(f"{wire.name} answers, but not as a WebUI does. Is the address right?")
    host = _host(flags, api)
    device = _device(flags, wire.get("/sdapi/v1/memory"))
    return Identity(host, version or f"api-{_fingerprint(api)}", device, _precision(flags, host, device))


def tells_tasks(wire: Wire) -> bool:
    """Whether it says which task runs; a WebUI without its page does not."""
    try:
        wire.post("/internal/progress", {"id_task": "", "id_live_preview": -1, "live_preview": False})
    except BackendError:
        return False
    return True


def refresh_lists(wire: Wire, identity: Identity) -> None:
    """Have it look for new files. It does so when its running call is done."""
    for route in _ENGINES_REFRESH if identity.host == "engine" else _REFRESHES:
        try:
            wire.post(f"/sdapi/v1/{route}")
        except NoRoute:
            continue  # Forge has no list of VAEs, and private APIs none of LoRAs


def read_inventory(wire: Wire, identity: Identity) -> Inventory:
    """All its lists. Raises BackendError."""
    try:
        return _read(wire, identity)
    except (KeyError, TypeError, AttributeError) as error:
        raise WrongAnswer(f"{wire.name} lists its models in a form that is not known: is it a WebUI?") from error


def _read(wire: Wire, identity: Identity) -> Inventory:
    dialect = dialect_of(identity)
    options = wire.get("/sdapi/v1/options")
    scripts = wire.get("/sdapi/v1/scripts")
    checkpoints = tuple(_checkpoint(item) for item in wire.get("/sdapi/v1/sd-models"))
    titles = sorted({str(name).lower() for name in (*scripts["txt2img"], *scripts["img2img"])})
    has_controlnet = "controlnet" in titles
    return Inventory(
        host=identity.host,
        checkpoints=checkpoints,
        current=_current(options, checkpoints),
        samplers=tuple(_sampler(item) for item in wire.get("/sdapi/v1/samplers")),
        schedulers=tuple(_scheduler(item) for item in wire.get("/sdapi/v1/schedulers")),
        upscalers=tuple(item["name"] for item in wire.get("/sdapi/v1/upscalers")),
        latent_modes=tuple(item["name"] for item in _list(wire, "latent-upscale-modes")),
        loras=tuple(_lora(item) for item in _list(wire, "loras")),
        vaes=tuple(Vae(item["model_name"]) for item in (_list(wire, "sd-modules") if dialect.names_modules else _list(wire, "sd-vae"))),
        embeddings=_embeddings(wire.get("/sdapi/v1/embeddings")),
        networks=_networks(wire) if identity.host == "engine" else (),
        styles=tuple(_style(item) for item in _list(wire, "prompt-styles")),
        scripts=tuple(titles),
        has_controlnet=has_controlnet,
        controlnets=_controlnets(wire) if has_controlnet else (),
        modules=tuple(wire.get("/controlnet/module_list", patience=ROUTE_SECONDS)["module_list"]) if has_controlnet else (),
        units=_units(wire, options) if has_controlnet else 0,
        sends_maps=dialect.sends_maps,
        control_modes=dialect.control_modes,
        guards_itself=dialect.guards_itself,
        options=options,
    )


def with_hashes(inventory: Inventory, known: Known) -> Inventory:
    """The same lists, with these hashes."""
    checkpoints = [replace(found, hash=known.get(("checkpoint", found.name)) or found.hash) for found in inventory.checkpoints]
    loras = [replace(found, hash=known.get(("lora", found.name)) or found.hash) for found in inventory.loras]
    embeddings = [replace(found, hash=known.get(("embedding", found.name)) or found.hash) for found in inventory.embeddings]
    vaes = [replace(found, hash=known.get(("vae", found.name)) or found.hash) for found in inventory.vaes]
    upscalers = {name: known["upscaler", name] for name in inventory.upscalers if ("upscaler", name) in known}
    return replace(
        inventory,
        checkpoints=tuple(checkpoints),
        loras=tuple(loras),
        embeddings=tuple(embeddings),
        vaes=tuple(vaes),
        upscaler_hashes={**inventory.upscaler_hashes, **upscalers},
    )


def _flags(wire: Wire) -> Mapping[str, Any]:
    try:
        flags = wire.get("/sdapi/v1/cmd-flags", patience=ROUTE_SECONDS)
    except Refused as refused:
        # Forge refuses its own answer, as its port is a number, and tells the flags in the refusal.
        flags = refused.answer.get("body") if isinstance(refused.answer, dict) else None
        if not isinstance(flags, dict):
            raise
    if not isinstance(flags, dict):
        raise WrongAnswer(f"{wire.name} answers, but not as a WebUI does. Is the address right?")
    return flags


def _host(flags: Mapping[str, Any], api: Mapping[str, Any]) -> Host:
    if "/sdapi/v1/sd-modules" in api["paths"]:
        return "forge"
    return "reforge" if "always_cpu" in flags else "a1111"  # reForge has ComfyUI's flags


def _fingerprint(api: Mapping[str, Any]) -> str:
    """Of what a WebUI's API takes, as it does not tell its version: equal versions have equal fields, whatever extensions they have."""
    schemas = (api.get("components") or {}).get("schemas") or {}
    bodies = {
        name: sorted(schema.get("properties", {})) for name, schema in schemas.items() if name.startswith("StableDiffusionProcessing")
    }
    # LoRAs come from an extension, and private APIs have no such routes.
    routes = sorted(path for path in api["paths"] if path.startswith("/sdapi/") and not path.endswith("loras"))
    return hashlib.sha256(json.dumps([bodies, routes], sort_keys=True).encode()).hexdigest()[:8]


def _device(flags: Mapping[str, Any], memory: Mapping[str, Any]) -> str:
    if flags.get("always_cpu") or "all" in (flags.get("use_cpu") or ()):
        return "cpu"
    cuda = memory.get("cuda")
    return "cuda" if isinstance(cuda, dict) and "error" not in cuda else "other"


def _precision(flags: Mapping[str, Any], host: Host, device: str) -> str:
    if device == "cpu" or flags.get("precision") == "full" or any(flags.get(name) for name in _FULL_PRECISION):
        return "fp32"
    told = next((precision for name, precision in _HALF_FLAGS.items() if flags.get(name)), None)
    return told or ("fp16" if host == "a1111" else "auto")


def _list(wire: Wire, name: str) -> list[Any]:
    """A list that not every host has."""
    try:
        return wire.get(f"/sdapi/v1/{name}")
    except NoRoute:
        return []


def _checkpoint(item: Mapping[str, Any]) -> Checkpoint:
    name = str(item["model_name"])
    file = str(item.get("filename") or "").replace("\\", "/").rpartition("/")[2]
    return Checkpoint(
        str(item["title"]), name, str(item.get("hash") or ""), str(item.get("sha256") or ""), file, str(item.get("family") or "")
    )


def _current(options: Mapping[str, Any], checkpoints: tuple[Checkpoint, ...]) -> str:
    """The title of what is in use: reForge tells only its hash until somebody chose one."""
    title, sha256 = options.get("sd_model_checkpoint"), options.get("sd_checkpoint_hash")
    by_hash = next((found.title for found in checkpoints if sha256 and found.sha256 == sha256), "")
    return str(title or by_hash)


def _lora(item: Mapping[str, Any]) -> Lora:
    return Lora(str(item["name"]), str(item.get("alias") or ""), metadata=item.get("metadata") or {})


def _sampler(item: Mapping[str, Any]) -> Sampler:
    return Sampler(str(item["name"]), tuple(item.get("aliases") or ()), str((item.get("options") or {}).get("scheduler") or ""))


def _scheduler(item: Mapping[str, Any]) -> Scheduler:
    return Scheduler(str(item["name"]), str(item["label"]), tuple(item.get("aliases") or ()))


def _embeddings(told: Mapping[str, Any]) -> tuple[Embedding, ...]:
    found = [(name, item, fits) for key, fits in (("loaded", True), ("skipped", False)) for name, item in (told.get(key) or {}).items()]
    return tuple(
        Embedding(name, fits, int(item.get("vectors") or 1), int(item.get("shape") or 0), item.get("step")) for name, item, fits in found
    )


def _style(item: Mapping[str, Any]) -> Style:
    return Style(str(item["name"]), str(item.get("prompt") or ""), str(item.get("negative_prompt") or ""))


def _networks(wire: Wire) -> tuple[Network, ...]:
    return tuple(Network(str(name), str(hash)) for name, hash in wire.get("/atelier-engine/v1/mask-networks").items())


def _controlnets(wire: Wire) -> tuple[str, ...]:
    """Asking has it look for new files; "None" is no model."""
    return tuple(name for name in wire.get("/controlnet/model_list", patience=ROUTE_SECONDS)["model_list"] if name != "None")


def _units(wire: Wire, options: Mapping[str, Any]) -> int:
    try:
        told = wire.get("/controlnet/settings")["control_net_unit_count"]
    except NoRoute:
        told = options.get("control_net_unit_count")
    return int(told or DEFAULT_UNITS)
