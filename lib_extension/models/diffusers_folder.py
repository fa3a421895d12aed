"""How does a model folder in diffusers' layout become networks?"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.modeling_utils import ModelMixin
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from transformers.utils import logging as transformers_logging

from lib_extension.models.families import FAMILIES, Family, NoiseSchedule
from lib_extension.models.single_file import Left, Networks, TextEncoder, bundled_tokenizer
from lib_extension.models.weights import fill, left_out, made, read_own, settled
from lib_extension.spec.errors import BadFile

Network = TypeVar("Network", bound=ModelMixin)


def load_folder(folder: Path, dtype: torch.dtype, vae_dtype: torch.dtype, leave_out: Collection[Left] = ()) -> Networks:
    """Reads an SD1, SD2 or SDXL pipeline's folder. Weights must be safetensors files; nothing is fetched."""
    family = _family(folder)
    unet = _network(UNet2DConditionModel, folder / "unet", None if "unet" in leave_out else dtype)
    vae = _network(AutoencoderKL, folder / "vae", None if "vae" in leave_out else vae_dtype)
    names = ["text_encoder", "text_encoder_2"][: len(family.text)]
    load_text = _text_shapes if "text" in leave_out else partial(_text_encoder, dtype=dtype)
    texts = tuple(load_text(folder / name, facts.projects) for name, facts in zip(names, family.text, strict=True))
    facts_of_tokenizers = () if "text" in leave_out else zip(("tokenizer", "tokenizer_2"), family.text, strict=False)
    tokenizers = tuple(_tokenizer(folder / name, facts.pad_token) for name, facts in facts_of_tokenizers)
    return Networks(family, unet, vae, texts, tokenizers, _noise(folder))


def load_network(kind: type[Network], folder: Path, dtype: torch.dtype) -> Network:
    """One diffusers network from its own folder."""
    if kind is UNet2DConditionModel and (unet := _read_own(kind, folder, dtype)) is not None:
        return unet
    try:
        network = kind.from_pretrained(folder, torch_dtype=dtype, use_safetensors=True, local_files_only=True, variant=_variant(folder))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as e:
        raise _unreadable(folder) from e
    return settled(network)


def _network(kind: type[Network], folder: Path, dtype: torch.dtype | None) -> Network:
    """With weights, or of their shapes only."""
    if dtype is not None:
        return load_network(kind, folder, dtype)
    config = read_config(folder / "config.json")
    try:
        return left_out(lambda: made(kind, config))
    except (ValueError, KeyError, TypeError) as e:
        raise _unreadable(folder) from e


def _text_shapes(folder: Path, projects: bool) -> TextEncoder:
    config = read_config(folder / "config.json")
    kind = CLIPTextModelWithProjection if projects else CLIPTextModel
    try:
        return left_out(lambda: kind(CLIPTextConfig.from_dict(config)))
    except (ValueError, KeyError, TypeError) as e:
        raise _unreadable(folder) from e


def _read_own(kind: type[Network], folder: Path, dtype: torch.dtype) -> Network | None:
    """The largest network, with its weights' size of memory once; None where diffusers knows better what its file means."""
    files = sorted(folder.glob("*.safetensors"))
    if len(files) != 1:
        return None
    try:
        config = read_config(folder / "config.json")
        return fill(lambda: made(kind, config), read_own(files[0]), dtype, folder.name, own=True)
    except (BadFile, ValueError, KeyError, TypeError):
        return None


def read_config(file: Path) -> dict[str, Any]:
    """A JSON object; raises ``BadFile`` where there is none."""
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise BadFile(f'The model folder "{file.parent.name}" has no readable {file.name}.') from e
    if not isinstance(config, dict):
        raise BadFile(f'{file.name} of the model folder "{file.parent.name}" is no JSON object.')
    return config


def _family(folder: Path) -> Family:
    """By what the U-Net takes: SDXL's time ids; SD2's matrices where SD1 has convolutions."""
    if not (folder / "unet" / "config.json").is_file():
        raise BadFile(f'The model folder "{folder.name}" holds no U-Net. SD1, SD2 and SDXL models in diffusers\' layout can be loaded.')
    config = read_config(folder / "unet" / "config.json")
    if config.get("addition_embed_type") == "text_time":
        return FAMILIES["sdxl"]
    return FAMILIES["sd2" if config.get("use_linear_projection") else "sd1"]


def _text_encoder(folder: Path, projects: bool, dtype: torch.dtype) -> TextEncoder:
    kind = CLIPTextModelWithProjection if projects else CLIPTextModel
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        network = kind.from_pretrained(folder, dtype=dtype, use_safetensors=True, local_files_only=True, variant=_variant(folder))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as e:
        raise _unreadable(folder) from e
    finally:
        if shown:
            transformers_logging.enable_progress_bar()
    return settled(network)


def _tokenizer(folder: Path, pad_token: str) -> CLIPTokenizer:
    """The folder's own, or CLIP's, which all three families share."""
    if not folder.is_dir():
        return bundled_tokenizer(pad_token)
    try:
        return CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise _unreadable(folder) from e


def _noise(folder: Path) -> NoiseSchedule:
    config = read_config(folder / "scheduler" / "scheduler_config.json")
    default = NoiseSchedule()
    return NoiseSchedule(
        prediction_type=config.get("prediction_type", default.prediction_type),
        beta_start=config.get("beta_start", default.beta_start),
        beta_end=config.get("beta_end", default.beta_end),
        beta_schedule=config.get("beta_schedule", default.beta_schedule),
        zero_snr=config.get("rescale_betas_zero_snr", default.zero_snr),
    )


def _variant(folder: Path) -> str | None:
    """``fp16`` where a download took only the half-precision files."""
    files = [path.name for path in folder.glob("*.safetensors")]
    return "fp16" if files and all(".fp16" in name for name in files) else None


def _unreadable(folder: Path) -> BadFile:
    return BadFile(
        f'The "{folder.name}" of the model folder "{folder.parent.name}" cannot be loaded. '
        "It needs a config.json and complete .safetensors weights that fit it."
    )
