"""How does a checkpoint in one safetensors file, under ldm's names, become networks? From bundled facts only, never from a hub."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from lib_extension.formats.base_model import family_of_checkpoint
from lib_extension.formats.safetensors_header import Header, read_header
from lib_extension.models.families import FAMILIES, Family, NoiseSchedule, TextFacts
from lib_extension.models.ldm_names import unet_to_diffusers, vae_to_diffusers
from lib_extension.models.shapes import Unshaped, text_config, unet_config, vae_config
from lib_extension.models.text_names import clip_to_transformers, open_clip_to_transformers
from lib_extension.models.webui_config import WebuiConfig, beside
from lib_extension.models.weights import fill, is_left_out, left_out, made, read_tensors
from lib_extension.spec.errors import BadFile

TOKENIZER = Path(__file__).parent / "tokenizer"
TextEncoder = CLIPTextModel | CLIPTextModelWithProjection
Left = Literal["unet", "vae", "text"]  # what of a checkpoint may be left out
UNET_PREFIX, VAE_PREFIX = "model.diffusion_model.", "first_stage_model."


@dataclass(frozen=True)
class Networks:
    """All that a checkpoint holds, on the CPU."""

    family: Family
    unet: UNet2DConditionModel
    vae: AutoencoderKL
    text_encoders: tuple[TextEncoder, ...]
    tokenizers: tuple[CLIPTokenizer, ...]
    noise: NoiseSchedule


def load_single_file(path: Path, dtype: torch.dtype, vae_dtype: torch.dtype, leave_out: Collection[Left] = ()) -> Networks:
    """Reads an SD1, SD2 or SDXL checkpoint. The YAML file beside it, if there is one, is heeded as the WebUI does."""
    header = read_header(path)
    family = _family(path, header)
    config = beside(path)
    try:
        texts = tuple(_text_encoder(path, facts, config, None if "text" in leave_out else dtype) for facts in family.text)
        pooled_width = texts[-1].config.projection_dim or 0
        unet = _unet(path, family, config, pooled_width, None if "unet" in leave_out else dtype)
        vae_tensors = read_tensors(path, (VAE_PREFIX,))
        vae = load_vae_tensors(vae_tensors, family, None if "vae" in leave_out else vae_dtype, f'The VAE of "{path.name}"')
    except KeyError as e:
        raise BadFile(f'"{path.name}" is no complete {family.name} checkpoint: it holds no {e}.') from e
    prediction_type = config.prediction_type or _stated_prediction(header) or _tried_prediction(unet, family)
    noise = NoiseSchedule(prediction_type, zero_snr="ztsnr" in header.tensors)
    tokenizers = () if "text" in leave_out else tuple(bundled_tokenizer(facts.pad_token) for facts in family.text)
    return Networks(family, unet, vae, texts, tokenizers, noise)


def load_vae_tensors(tensors: dict[str, torch.Tensor], family: Family, dtype: torch.dtype | None, what: str) -> AutoencoderKL:
    """An autoencoder from tensors under ldm's or diffusers' names, without prefix; None: of their shapes only."""
    if any(name.startswith("encoder.down.") for name in tensors):
        tensors = vae_to_diffusers(tensors)
    if "encoder.conv_in.weight" not in tensors:
        raise BadFile(f"{what} is missing. Choose a VAE file of its own.")
    config = vae_config(tensors, family)

    def make() -> AutoencoderKL:
        return made(AutoencoderKL, config)

    return left_out(make) if dtype is None else fill(make, tensors, dtype, what)


def bundled_tokenizer(pad_token: str) -> CLIPTokenizer:
    return CLIPTokenizer(str(TOKENIZER / "vocab.json"), str(TOKENIZER / "merges.txt"), model_max_length=77, pad_token=pad_token)


def _family(path: Path, header: Header) -> Family:
    name = family_of_checkpoint(header)
    if name not in FAMILIES or not any(tensor.startswith(UNET_PREFIX) for tensor in header.tensors):
        held = f"a {name} model" if name != "unknown" else "no base model that is known here"
        raise BadFile(f'"{path.name}" holds {held}; SD1, SD2 and SDXL checkpoints under the WebUI\'s names can be loaded.')
    return FAMILIES[name]


def _unet(path: Path, family: Family, config: WebuiConfig, pooled_width: int, dtype: torch.dtype | None) -> UNet2DConditionModel:
    """With weights, or of their shapes only."""
    tensors = unet_to_diffusers(read_tensors(path, (UNET_PREFIX,)))
    sizes = unet_config(tensors, family, Unshaped(config.head_count, config.head_width, pooled_width))

    def make() -> UNet2DConditionModel:
        return made(UNet2DConditionModel, sizes)

    return left_out(make) if dtype is None else fill(make, tensors, dtype, f'The U-Net of "{path.name}"')


def _text_encoder(path: Path, facts: TextFacts, config: WebuiConfig, dtype: torch.dtype | None) -> TextEncoder:
    """With weights, or of their shapes only."""
    tensors = read_tensors(path, facts.prefixes)
    tensors = open_clip_to_transformers(tensors, facts.drops_last_layer) if facts.open_clip else clip_to_transformers(tensors)
    sizes = text_config(tensors, facts, config.text_heads)
    kind = CLIPTextModelWithProjection if facts.projects else CLIPTextModel
    if dtype is None:
        return left_out(lambda: kind(sizes))
    with torch.device("meta"):
        nested = next(iter(kind(sizes).state_dict())).startswith("text_model.")
    if not nested:  # transformers 5 took this level out of CLIPTextModel
        tensors = {name.removeprefix("text_model."): tensor for name, tensor in tensors.items()}
    return fill(lambda: kind(sizes), tensors, dtype, f'The text encoder of "{path.name}"')


def _stated_prediction(header: Header) -> str | None:
    """What the file's author wrote into it: the metadata of the modelspec standard, or NovelAI's empty tensor."""
    stated = {"v": "v_prediction", "epsilon": "epsilon"}.get(header.metadata.get("modelspec.prediction_type", ""))
    return "v_prediction" if "v_pred" in header.tensors else stated


@torch.no_grad()
def _tried_prediction(unet: UNet2DConditionModel, family: Family) -> str:
    """SD2 exists in both kinds, under equal names. Asked for the noise in a grey picture at the last step, where all is noise, one
    that predicts noise answers with about its input; one that predicts v answers with about minus the picture, far from it.
    """
    if family.name != "sd2" or unet.config["in_channels"] != 4 or is_left_out(unet):
        return "epsilon"
    picture = torch.full((1, 4, 8, 8), 0.5, dtype=unet.dtype)
    text = torch.full((1, 2, unet.config["cross_attention_dim"]), 0.5, dtype=unet.dtype)
    answer = unet(picture, torch.tensor([999]), text).sample
    return "v_prediction" if (answer - picture).mean().item() < -1 else "epsilon"
