"""How does a base model get from disk to its device, ready to sample?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from lib_extension.models.diffusers_folder import load_folder
from lib_extension.models.families import NoiseSchedule
from lib_extension.models.library import Found, refuse_pickle
from lib_extension.models.shapes import TIME_IDS
from lib_extension.models.single_file import Left, load_single_file
from lib_extension.models.weights import is_left_out, placed
from lib_extension.spec.errors import BadRequest

ATTENTIONS = ("sdpa", "xformers")


@dataclass(frozen=True)
class Placement:
    """Where and how networks run. ``compile`` costs a minute at the first picture of each size and saves time on every later one."""

    device: torch.device = torch.device("cpu")
    dtype: torch.dtype = torch.float32
    attention: str = "sdpa"
    compile: bool = False

    @property
    def vae_dtype(self) -> torch.dtype:
        """Half precision overflows in many VAEs (black pictures), so they get full precision instead."""
        return torch.float32 if self.dtype == torch.float16 else self.dtype


@dataclass
class Checkpoint:
    """A base model in memory.

    The SD2 text encoder has no last layer (the U-Net was trained on the states before it), so its last hidden state is the one to use.
    ``applied`` says which LoRAs are in the weights (None: not known, because changing them failed half way); ``base_weights`` are those
    of the parameters that they changed, by name.
    """

    name: str
    path: Path
    family: str  # sd1, sd2, sdxl
    sha256: str
    unet: UNet2DConditionModel
    vae: AutoencoderKL
    text_encoders: tuple[CLIPTextModel | CLIPTextModelWithProjection, ...]
    tokenizers: tuple[CLIPTokenizer, ...]
    noise: NoiseSchedule
    placement: Placement
    applied: tuple[object, ...] | None = ()
    base_weights: dict[str, torch.Tensor] = field(default_factory=dict)

    @property
    def prediction_type(self) -> str:
        return self.noise.prediction_type

    @property
    def device(self) -> torch.device:
        return self.placement.device

    @property
    def dtype(self) -> torch.dtype:
        return self.placement.dtype


def load_checkpoint(found: Found, placement: Placement, leave_out: Collection[Left] = ()) -> Checkpoint:
    """Loads a diffusers folder or a single safetensors file. Raises ``BadFile`` for what cannot be loaded, naming why.

    Networks that are left out have their shapes and no weights: they are on the meta device. Without text there are no tokenizers,
    without any weights there is no hash.
    """
    refuse_pickle(found.path, "checkpoint")
    check_attention(placement)
    load = load_folder if found.path.is_dir() else load_single_file
    networks = load(found.path, placement.dtype, placement.vae_dtype, leave_out)
    for network in (networks.unet, networks.vae, *networks.text_encoders):
        if not is_left_out(network):
            placed(network, placement.device)
    if not is_left_out(networks.unet):
        _speed_up(networks.unet, placement)
    return Checkpoint(
        name=found.name,
        path=found.path,
        family=networks.family.name,
        sha256="" if {"unet", "vae", "text"} <= {*leave_out} else found.sha256,
        unet=networks.unet,
        vae=networks.vae,
        text_encoders=networks.text_encoders,
        tokenizers=networks.tokenizers,
        noise=networks.noise,
        placement=placement,
    )


def check_attention(placement: Placement) -> None:
    """Raises ``BadRequest`` before anything is read where the wanted attention cannot run."""
    if placement.attention not in ATTENTIONS:
        raise BadRequest(f'There is no attention "{placement.attention}". There are: {", ".join(ATTENTIONS)}.')
    if placement.attention == "xformers" and placement.device.type != "cuda":
        raise BadRequest(f"xformers attention runs on CUDA devices only, and this one is {placement.device.type}. Use sdpa.")


def _speed_up(unet: UNet2DConditionModel, placement: Placement) -> None:
    """Turns on what ``placement`` asks for and takes one real step with it, since both can be installed and yet not work."""
    wanted = [*(["xformers"] if placement.attention == "xformers" else []), *(["compile"] if placement.compile else [])]
    if not wanted:
        return
    try:
        if "xformers" in wanted:
            unet.enable_xformers_memory_efficient_attention()
        if "compile" in wanted:
            unet.compile()
        _step(unet, placement)
    except Exception as e:  # Compilers and CUDA extensions fail in kinds of their own; whichever it is, the user turns the option off.
        raise BadRequest(f"A trial step with {' and '.join(wanted)} failed on this machine: {_first_line(e)} Leave the option out.") from e


@torch.no_grad()
def _step(unet: UNet2DConditionModel, placement: Placement) -> None:
    config = unet.config
    latents = torch.zeros(1, config["in_channels"], 8, 8, device=placement.device, dtype=placement.dtype)
    text = torch.zeros(1, 77, config["cross_attention_dim"], device=placement.device, dtype=placement.dtype)
    added = None
    if config["addition_embed_type"]:
        pooled_width = config["projection_class_embeddings_input_dim"] - TIME_IDS * config["addition_time_embed_dim"]
        pooled = torch.zeros(1, pooled_width, device=placement.device, dtype=placement.dtype)
        added = {"text_embeds": pooled, "time_ids": torch.zeros(1, TIME_IDS, device=placement.device, dtype=placement.dtype)}
    unet(latents, torch.tensor(1, device=placement.device), text, added_cond_kwargs=added)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no reason given'}."
