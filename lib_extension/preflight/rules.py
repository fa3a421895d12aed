"""Which rules does preflight know? Each looks at one instance of a stage at one backend, and tells what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lib_extension.preflight import drawing, fitting, guiding, loras, masking, names, second_pass, sizes, words
from lib_extension.preflight.finding import Finding
from lib_extension.preflight.look import Look

Rule = Callable[[Look], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    names.unknown_sampler,
    names.unknown_scheduler,
    names.unknown_checkpoint,
    names.unknown_vae,
    names.unknown_upscaler,
    names.unknown_lora,
    names.unknown_style,
    names.unknown_extension,
    names.no_controlnet,
    names.unknown_control_model,
    names.unknown_module,
    names.unknown_mask_network,
    fitting.unsound_file,
    fitting.other_kind_of_file,
    fitting.lora_of_another_family,
    fitting.controlnet_of_another_family,
    fitting.vae_of_another_family,
    fitting.embedding_of_another_family,
    fitting.refiner_without_sdxl,
    fitting.lora_names_not_read,
    loras.lora_weight_over_1,
    loras.lora_without_weight,
    loras.lora_twice,
    loras.lora_weights_large,
    words.prompt_over_75_tokens,
    words.overloaded_prompt,
    sizes.size_not_multiple_of_8,
    sizes.picture_too_large,
    sizes.far_from_training_size,
    sizes.batch_beyond_limits,
    sizes.tile_beyond_picture,
    masking.empty_mask,
    masking.full_mask,
    drawing.denoising_strength_0,
    drawing.denoising_strength_1,
    drawing.few_steps,
    drawing.seed_policy_without_effect,
    drawing.variation_without_effect,
    drawing.negative_prompt_without_effect,
    second_pass.refused_by_the_engine,
    second_pass.latent_upscaler_with_low_strength,
    guiding.control_without_picture,
    guiding.control_without_effect,
    guiding.control_mode_ignored,
    guiding.too_many_units,
)
