"""What a client of /sdapi/v1 and /controlnet sends: bodies with the API's own field names and defaults.

ControlNet units, which travel inside `alwayson_scripts`, are in controlnet.py.

A field that is `None` was not sent: the server's options, or the sampler, decide. Nothing is checked here beyond types; what a value
means, and whether it is refused, is decided where it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Generation:
    """The fields that txt2img and img2img share."""

    prompt: str = ""
    negative_prompt: str = ""
    styles: list[str] | None = None
    seed: int = -1  # −1: a random one
    subseed: int = -1
    subseed_strength: float = 0
    seed_resize_from_h: int = -1  # px; ≤ 0: no
    seed_resize_from_w: int = -1
    sampler_name: str | None = None  # before sampler_index, which older clients send
    scheduler: str | None = None
    batch_size: int = 1
    n_iter: int = 1
    steps: int = 50
    cfg_scale: float = 7.0
    width: int = 512  # px
    height: int = 512
    restore_faces: bool | None = None
    tiling: bool | None = None
    do_not_save_samples: bool = False
    do_not_save_grid: bool = False
    eta: float | None = None
    s_min_uncond: float | None = None
    s_churn: float | None = None
    s_tmax: float | None = None
    s_tmin: float | None = None
    s_noise: float | None = None
    override_settings: dict[str, Any] | None = None
    override_settings_restore_afterwards: bool = True
    refiner_checkpoint: str | None = None
    refiner_switch_at: float | None = None
    disable_extra_networks: bool = False
    firstpass_image: str | None = None
    comments: dict[str, Any] | None = None
    force_task_id: str | None = None
    sampler_index: str = "Euler"
    script_name: str | None = None
    script_args: list[Any] = field(default_factory=list)
    send_images: bool = True
    save_images: bool = False
    alwayson_scripts: dict[str, Any] = field(default_factory=dict)
    infotext: str | None = None


@dataclass(frozen=True, kw_only=True)
class Txt2Img(Generation):
    """Body of POST /sdapi/v1/txt2img."""

    denoising_strength: float | None = None  # of the second pass
    enable_hr: bool = False
    firstphase_width: int = 0
    firstphase_height: int = 0
    hr_scale: float = 2.0
    hr_upscaler: str | None = None
    hr_second_pass_steps: int = 0  # 0: as many as the first pass
    hr_resize_x: int = 0  # px; with hr_resize_y, instead of hr_scale
    hr_resize_y: int = 0
    hr_checkpoint_name: str | None = None
    hr_sampler_name: str | None = None
    hr_scheduler: str | None = None
    hr_prompt: str = ""  # '': the same prompt
    hr_negative_prompt: str = ""


@dataclass(frozen=True, kw_only=True)
class Img2Img(Generation):
    """Body of POST /sdapi/v1/img2img."""

    denoising_strength: float = 0.75
    init_images: list[str] | None = None  # base64 or data URLs
    resize_mode: int = 0  # 0 stretch, 1 crop, 2 fill, 3 stretch the latent
    image_cfg_scale: float | None = None
    mask: str | None = None  # white is redrawn
    mask_blur_x: int = 4  # standard deviation in px
    mask_blur_y: int = 4
    mask_blur: int | None = None  # both of them at once
    mask_round: bool = True
    inpainting_fill: int = 0  # 0 fill, 1 original, 2 latent noise, 3 latent nothing
    inpaint_full_res: bool = True  # "Only masked"
    inpaint_full_res_padding: int = 0  # px
    inpainting_mask_invert: int = 0
    initial_noise_multiplier: float | None = None
    latent_mask: str | None = None
    include_init_images: bool = False


@dataclass(frozen=True, kw_only=True)
class Extra:
    """The fields that the two upscaling routes share."""

    resize_mode: Literal[0, 1] = 0  # 0 by upscaling_resize, 1 to upscaling_resize_w × upscaling_resize_h
    show_extras_results: bool = True
    gfpgan_visibility: float = 0
    codeformer_visibility: float = 0
    codeformer_weight: float = 0
    upscaling_resize: float = 2
    upscaling_resize_w: int = 512
    upscaling_resize_h: int = 512
    upscaling_crop: bool = True
    upscaler_1: str = "None"
    upscaler_2: str = "None"
    extras_upscaler_2_visibility: float = 0
    upscale_first: bool = False


@dataclass(frozen=True, kw_only=True)
class ExtraSingle(Extra):
    """Body of POST /sdapi/v1/extra-single-image."""

    image: str = ""


@dataclass(frozen=True, kw_only=True)
class FileData:
    """One picture of ExtraBatch."""

    data: str
    name: str


@dataclass(frozen=True, kw_only=True)
class ExtraBatch(Extra):
    """Body of POST /sdapi/v1/extra-batch-images."""

    imageList: list[FileData]  # noqa: N815 (the API's name)


@dataclass(frozen=True, kw_only=True)
class PngInfo:
    """Body of POST /sdapi/v1/png-info."""

    image: str


@dataclass(frozen=True, kw_only=True)
class Interrogate:
    """Body of POST /sdapi/v1/interrogate."""

    image: str = ""
    model: str = "clip"


@dataclass(frozen=True, kw_only=True)
class Detect:
    """Body of POST /controlnet/detect."""

    controlnet_module: str = "none"
    controlnet_input_images: list[str] = field(default_factory=list)
    controlnet_processor_res: int = -1  # px; < 0: the module's own
    controlnet_threshold_a: float = -1
    controlnet_threshold_b: float = -1
    controlnet_masks: list[str] = field(default_factory=list)
    low_vram: bool = False
