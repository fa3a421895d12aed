"""How is a VAE loaded from a file of its own?"""

from __future__ import annotations

from diffusers import AutoencoderKL

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.models.diffusers_folder import load_network
from lib_extension.models.families import FAMILIES
from lib_extension.models.library import Found, refuse_pickle
from lib_extension.models.single_file import VAE_PREFIX, load_vae_tensors
from lib_extension.models.weights import placed, read_tensors
from lib_extension.spec.errors import Mismatch


def load_vae(found: Found, checkpoint: Checkpoint) -> AutoencoderKL:
    """A VAE for ``checkpoint``: a diffusers folder, or a safetensors file under ldm's or diffusers' names.

    SD1's and SDXL's have the same shape but scale latents differently; as in the WebUI, the checkpoint's scale is used.
    """
    refuse_pickle(found.path, "VAE")
    placement = checkpoint.placement
    if found.path.is_dir():
        vae = load_network(AutoencoderKL, found.path, placement.vae_dtype)
    else:
        tensors = read_tensors(found.path, (VAE_PREFIX, ""))
        vae = load_vae_tensors(tensors, FAMILIES[checkpoint.family], placement.vae_dtype, f'The VAE "{found.path.name}"')
    wanted, given = checkpoint.vae.config["latent_channels"], vae.config["latent_channels"]
    if wanted != given:
        raise Mismatch(f'The VAE "{found.name}" makes {given} latent channels, but the checkpoint "{checkpoint.name}" has {wanted}.')
    vae.register_to_config(scaling_factor=checkpoint.vae.config["scaling_factor"])
    return placed(vae, placement.device)
