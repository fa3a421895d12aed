"""What is set for all calls? The WebUI's options under their own names, those that the engine heeds and those it only keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lib_extension.spec.errors import BadRequest, near_miss

HEEDED = frozenset(
    {
        "sd_model_checkpoint",
        "sd_vae",
        "CLIP_stop_at_last_layers",
        "emphasis",
        "comma_padding_backtrack",
        "samples_format",
        "jpeg_quality",
        "webp_lossless",
        "show_progress_every_n_steps",
        "live_previews_enable",
        "return_grid",
        "enable_pnginfo",
        "img2img_color_correction",
        "outdir_samples",
        "outdir_txt2img_samples",
        "outdir_img2img_samples",
        "n_rows",
        "tiling",
    }
)

NOT_MADE = frozenset(
    {
        "sd_unet",
        "randn_source",
        "hires_fix_refiner_pass",
        "sd_vae_encode_method",
        "sd_vae_decode_method",
        "img2img_extra_noise",
        "s_min_uncond",
        "token_merging_ratio",
        "token_merging_ratio_img2img",
        "token_merging_ratio_hr",
        "fp8_storage",
        "sd_noise_schedule",
        "skip_early_cond",
        "sd_hypernetwork",
        "face_restoration",
        "sgm_noise_multiplier",
        "use_old_emphasis_implementation",
        "use_old_karras_scheduler_sigmas",
        "use_old_hires_fix_width_height",
        "use_old_scheduling",
        "use_downcasted_alpha_bar",
        "s_min_uncond_all",
        "pad_cond_uncond",
        "pad_cond_uncond_v0",
        "no_dpmpp_sde_batch_determinism",
        "sigma_min",
        "sigma_max",
        "rho",
        "beta_dist_alpha",
        "beta_dist_beta",
        "return_mask",
        "return_mask_composite",
    }
)
"""Options that change the WebUI's pictures and that this engine does not carry out: strict refuses a value but the default."""


class UnknownOption(BadRequest):
    """There is no option of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f'There is no option "{name}".{near_miss(name, defaults())}')
        self.name = name


@cache
def defaults() -> Mapping[str, Any]:
    """Every option of WebUI 1.10.1 with its default value."""
    return json.loads((Path(__file__).parent / "webui_options.json").read_text("utf-8"))


class Options:
    """Values by name. Reading and writing are safe from any thread: a change replaces the whole table at once."""

    def __init__(self, values: Mapping[str, Any] | None = None, *, lenient: bool = False) -> None:
        self._values: Mapping[str, Any] = dict(values or {})
        self.lenient = lenient

    def __getitem__(self, name: str) -> Any:
        values = self._values
        if name in values:
            return values[name]
        if name not in defaults():
            raise UnknownOption(name)
        return defaults()[name]

    def to_json(self) -> dict[str, Any]:
        return {**defaults(), **self._values}

    def is_set(self, name: str) -> bool:
        """Whether somebody gave this option a value, rather than leaving the default."""
        return name in self._values

    def change(self, values: Mapping[str, Any]) -> None:
        """Sets options for all later calls."""
        self._values = {**self._values, **self._checked(values)}

    def with_overrides(self, overrides: Mapping[str, Any] | None) -> Options:
        """The options of one call: these, with its `override_settings` on top. Nothing here changes."""
        return Options({**self._values, **self._checked(overrides or {})}, lenient=self.lenient)

    def keep(self, overrides: Mapping[str, Any] | None, restore_afterwards: bool) -> None:
        """What a call's `override_settings` leave behind it.

        Nothing when they are to be restored. The WebUI (and so lenient) restores only options that were set before.
        """
        if not overrides:
            return
        if not restore_afterwards:
            self.change(overrides)
        elif self.lenient:
            self.change({name: value for name, value in overrides.items() if name in defaults() and not self.is_set(name)})

    def _checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in values.items() if value is not None}
        if self.lenient:
            given = {name: value for name, value in given.items() if name in defaults() and _fits(defaults()[name], value)}
        for name, value in given.items():
            _refuse_wrong(name, value)
            if not self.lenient and name in NOT_MADE and value != defaults()[name]:
                raise BadRequest(f'The engine does not carry out the option "{name}": leave it at {defaults()[name]!r}.')
        return {name: _converted(name, value) for name, value in given.items()}


def _refuse_wrong(name: str, value: Any) -> None:
    if name not in defaults():
        raise UnknownOption(name)
    default = defaults()[name]
    if not _fits(default, value):
        raise BadRequest(f'The option "{name}" takes {_family_name(default)}, not {repr(value)[:80]}.')


def _fits(default: Any, value: Any) -> bool:
    if default is None:
        return isinstance(value, str)
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    return isinstance(value, _family(default)) and not (isinstance(value, (int, float)) and abs(value) > 1e9)


def _converted(name: str, value: Any) -> Any:
    """Numbers in the default's own form, so that a 2 for a 2.0 reads the same afterwards."""
    default = defaults()[name]
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _family(default: Any) -> type | tuple[type, ...]:
    return type(default) if isinstance(default, (str, list)) else (int, float)


def _family_name(default: Any) -> str:
    names = {bool: "true or false", str: "a text", type(None): "a text", list: "a list"}
    return names.get(type(default), "a number")
