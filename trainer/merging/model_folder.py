"""Which files of a folder in diffusers' layout are the model's weights, and which go with them into another folder?

Such folders are often downloaded whole, with the same weights several times: in halves (`NAME.fp16.safetensors`), as pickles, for other
frameworks. Of each network one set is read, and so written; a copy of another set would be what the model was before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path

from lib_extension.spec.errors import BadRequest

NETWORKS = ("unet", "text_encoder", "text_encoder_2", "vae")
_PICKLES = (".bin", ".ckpt", ".pt", ".pth")
_WEIGHTS = (".safetensors", ".msgpack", ".h5", ".onnx", ".onnx_data", ".pb", ".xml")
_SHARD = re.compile(r"-\d{5}-of-\d{5}")


def weights_of(folder: Path) -> dict[str, list[Path]]:
    """Network → the files of one variant, the same for all networks where that is possible. BadRequest for pickles without another file."""
    found = {network: variants for network in NETWORKS if (variants := _variants(folder / network))}
    of_all = set.intersection(*(set(variants) for variants in found.values())) if found else set()
    return {network: variants[min(of_all or variants)] for network, variants in found.items()}  # "", the unnamed one, is the first


def _variants(folder: Path) -> dict[str, list[Path]]:
    """What stands after the first point, "" or "fp16" …, → the one file or the parts of the first that is called so."""
    check_pickles(folder)
    named: dict[str, dict[str, list[Path]]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        stem, _, variant = _SHARD.sub("", path.name.removesuffix(".safetensors")).partition(".")
        named.setdefault(variant, {}).setdefault(stem, []).append(path)
    return {variant: next(iter(stems.values())) for variant, stems in named.items()}


def check_pickles(folder: Path) -> None:
    """BadRequest where a network's folder holds its weights in no other way."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    pickles = [path for path in files if path.suffix.lower() in _PICKLES]
    if pickles and not any(path.suffix.lower() == ".safetensors" for path in files):
        raise BadRequest(
            f'"{folder.name}/{pickles[0].name}" of "{folder.parent.name}" is a pickle, which runs code when it is read, and there is no '
            f'.safetensors file beside it. Convert it where you trust it, or remove "{folder.name}" where it is not needed.'
        )


def rest_of(folder: Path, written: Collection[str]) -> list[Path]:
    """What belongs beside the files that are written: configurations, tokenizers, other networks. No pickles, no hidden folders."""
    found: list[Path] = []
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in relative.parts)
        if is_hidden or not path.is_file() or relative.as_posix() in written or path.suffix.lower() in _PICKLES:
            continue
        of_model = len(relative.parts) == 1 or relative.parts[0] in NETWORKS
        if not of_model or not (path.suffix.lower() in _WEIGHTS or _tells_of_others(path, written)):
            found.append(path)
    return found


def _tells_of_others(path: Path, written: Collection[str]) -> bool:
    """Whether it is the list of the parts of files that are not written, which would be looked for."""
    if ".index." not in path.name:
        return False
    try:
        parts = set(json.loads(path.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return True
    return not parts <= {file.rpartition("/")[2] for file in written if file.startswith(f"{path.parent.name}/")}
