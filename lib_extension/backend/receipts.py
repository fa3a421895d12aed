"""Did the backend do what was asked? One rule a function; each raises WrongAnswer that names the fix. What fails one is never stored.

A rule looks at the answer alone, which has all that it needs: a receipt costs no second generation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib_extension.backend.eligible import SAME_AS_FIRST, loras_in, prompts_of
from lib_extension.backend.errors import NotGuided, WasInterrupted, WrongAnswer
from lib_extension.backend.returned import Returned
from lib_extension.pictures.png import decode_picture
from lib_extension.pictures.sizes import floor_to_8
from lib_extension.spec.control_modules import gives_map
from lib_extension.spec.controlnet import read_units
from lib_extension.spec.inventory import NOTHING, Inventory
from lib_extension.spec.sdapi import Img2Img, Txt2Img
from lib_extension.spec.signature import FIELD

_SYMBOLS = str.maketrans("", "", ":,")  # which "Lora hashes" leaves out of names


@dataclass(frozen=True)
class Asked:
    """A call, and what the backend has that it could be carried out with."""

    body: Txt2Img | Img2Img
    inventory: Inventory
    where: str  # as messages name the backend
    cut_short: bool = False  # the job was seen interrupted or skipped
    receipt: str = ""  # that the pictures are to be signed with

    @property
    def count(self) -> int:
        """How many pictures."""
        return self.body.batch_size * self.body.n_iter

    @property
    def options(self) -> Mapping[str, Any]:
        """The options for this call."""
        return self.body.override_settings or {}


def signed_as_asked(asked: Asked, got: Returned) -> None:
    """Where the host has our script, its arguments must have arrived: another call's answer, or scripts that failed, would show here."""
    if asked.receipt and not all(fields.get(FIELD) == asked.receipt for fields in got.fields):
        raise WrongAnswer(
            f"{asked.where} has Atelier's script, but did not sign the pictures of this call: another script there may have failed. "
            "Its log says which. Update Atelier there, and start it again."
        )


def all_pictures_came(asked: Asked, got: Returned) -> None:
    """An interrupted call, and one that ran out of something, gives fewer."""
    if len(got.pictures) < asked.count or len(got.infotexts) < len(got.pictures):
        raise WasInterrupted(
            f"{asked.where} was asked for {asked.count} pictures and gave {len(got.pictures)}: it was interrupted there. Run it again."
        )
    if len(got.pictures) > asked.count:
        raise WrongAnswer(
            f"{asked.where} was asked for {asked.count} pictures and gave {len(got.pictures)}. "
            "Does a script or an extension there add some? Switch it off for the API."
        )


def not_interrupted(asked: Asked, got: Returned) -> None:
    """An interrupted call answers 200, with a picture that is half noise."""
    if asked.cut_short:
        raise WasInterrupted(f"Somebody interrupted or skipped the call at {asked.where}; its picture is half finished. Run it again.")


def sent_without_loss(asked: Asked, got: Returned) -> None:
    """An option there may make JPEGs of all pictures."""
    if not all(file.is_png for file in (*got.pictures, *got.extras)):
        raise WrongAnswer(f'{asked.where} sends pictures in a format that loses detail. Set its option "samples_format" to png.')


def sizes_as_asked(asked: Asked, got: Returned) -> None:
    """A WebUI floors sizes to multiples of 8."""
    for file in got.pictures:
        if file.image.size not in (wanted := _sizes(asked.body)):
            told = " or ".join(f"{width}×{height}" for width, height in wanted)
            came = "×".join(map(str, file.image.size))
            raise WrongAnswer(f"{asked.where} was asked for {told} pixels and gave {came}. Ask for sizes that are multiples of 8.")


def not_blank(asked: Asked, got: Returned) -> None:
    """A black picture is what NaNs become; no model draws a picture of one single colour."""
    for file in got.pictures:
        pixels = np.asarray(file.image.convert("RGB"))
        if (pixels == pixels[0, 0]).all():
            colour = "of one colour" if pixels[0, 0].any() else "black"
            raise WrongAnswer(
                f"A picture from {asked.where} is all {colour}: the numbers in its model overflowed. "
                "Start it with --no-half-vae (or --no-half), or choose another VAE."
            )


def checkpoint_as_asked(asked: Asked, got: Returned) -> None:
    """An unknown checkpoint is dropped without a word, and the one in use is taken."""
    name = str(asked.options.get("sd_model_checkpoint") or "")
    wanted = asked.inventory.checkpoint(name)
    if wanted is None:
        return
    hash, model = str(got.info.get("sd_model_hash") or ""), str(got.info.get("sd_model_name") or "")
    same = hash == wanted.hash[: len(hash)] if hash and wanted.hash else model in wanted.names
    if not same:
        raise WrongAnswer(
            f'{asked.where} was asked for the checkpoint "{wanted.name}" ({wanted.hash or "no hash known"}) and used "{model}" ({hash}). '
            "Refresh its checkpoints, and see that nobody changes them while the run goes on."
        )


def vae_as_asked(asked: Asked, got: Returned) -> None:
    """As the checkpoint; a VAE that is listed, but whose file has gone, leaves the checkpoint's own one. Forge tells of no VAE."""
    wanted, told = str(asked.options.get("sd_vae") or ""), got.info.get("sd_vae_name")
    if wanted in NOTHING or told == wanted or (told is None and asked.inventory.host == "forge"):
        return
    used = f'"{told}"' if told else "the checkpoint's own"
    raise WrongAnswer(f'{asked.where} was asked for the VAE "{wanted}" and used {used}. Refresh its VAEs.')


def sampler_as_asked(asked: Asked, got: Returned) -> None:
    """An unknown sampler becomes another one."""
    name = asked.body.sampler_name
    if not name:
        return
    both = asked.inventory.sampler_and_scheduler(name)
    wanted = asked.inventory.sampler(name) or (both[0] if both else None)
    for fields in got.fields:
        told = fields.get("Sampler", "")
        if wanted is None or asked.inventory.sampler(told) != wanted:
            raise WrongAnswer(f'{asked.where} was asked for the sampler "{name}" and used "{told}". Choose one that it lists.')


def scheduler_as_asked(asked: Asked, got: Returned) -> None:
    """An unknown scheduler becomes "Automatic"; asked for that, the sampler's own one is told."""
    name = asked.body.scheduler
    if not name or name == "Automatic" or name in SAME_AS_FIRST:
        return
    wanted = asked.inventory.scheduler(name)
    for fields in got.fields:
        told = fields.get("Schedule type", "")
        if wanted is None or asked.inventory.scheduler(told) != wanted:
            raise WrongAnswer(f'{asked.where} was asked for the scheduler "{name}" and used "{told}". Choose one that it lists.')


def loras_loaded(asked: Asked, got: Returned) -> None:
    """A LoRA that is missing or cannot be read is left out; "Lora hashes" tells which were found."""
    wanted = loras_in(prompts_of(asked.body))
    for fields in got.fields if wanted else ():
        told = lora_hashes(fields)
        for name in wanted:
            hash = told.get(lora_key(name))
            if hash is None:
                raise not_loaded(name, asked.where)
            known = asked.inventory.lora(name)
            if known is not None and known.hash and not hash.startswith(known.hash[: len(hash)]):
                raise WrongAnswer(f'The LoRA "{name}" at {asked.where} was overwritten since the run was planned. Start the run again.')


def embeddings_as_planned(asked: Asked, got: Returned) -> None:
    """As LoRAs, where "TI hashes" tells of them."""
    for fields in got.fields:
        for name, hash in embedding_hashes(fields).items():
            known = next((found.hash for found in asked.inventory.embeddings if found.name == name), "")
            if known and not hash.startswith(known[: len(hash)]):
                raise WrongAnswer(
                    f'The embedding "{name}" at {asked.where} was overwritten since the run was planned. Start the run again.'
                )


def units_guided(asked: Asked, got: Returned) -> None:
    """A failing ControlNet unit is left out, though the infotext names it; its map proves it, where the host sends maps."""
    if not asked.inventory.sends_maps:
        return
    units = [unit for unit in read_units(asked.body.alwayson_scripts).units if unit.enabled and gives_map(unit.module)]
    passes = 2 if getattr(asked.body, "enable_hr", False) else 1  # each pass has a map of its own size
    maps = sum(passes if unit.hr_option == "Both" else 1 for unit in units)
    if len(got.extras) < maps:
        names = ", ".join(f"{unit.module} with {unit.model}" for unit in units)
        raise NotGuided(
            f"{asked.where} was asked for {len(units)} ControlNet units ({names}) and sent {len(got.extras)} maps of {maps}: a unit "
            "failed, and its picture is not guided. Look at its console: a preprocessor's weights may be missing, or the model may be of "
            "another base."
        )


def seeds_as_asked(asked: Asked, got: Returned) -> None:
    """The first picture's seed is the one asked for, the others count up from it."""
    body = asked.body
    step = 0 if body.subseed_strength else 1
    wanted = [body.seed + step * place for place in range(asked.count)]
    told = [int(fields["Seed"]) for fields in got.fields[: asked.count] if fields.get("Seed", "").isdecimal()]
    if len(got.seeds) < asked.count or (body.seed >= 0 and (list(got.seeds[: asked.count]) != wanted or told not in (wanted, []))):
        raise WrongAnswer(
            f"{asked.where} was asked for the seeds {wanted} and used {list(got.seeds)}. Does a script or an extension there change seeds? "
            "Switch it off for the API."
        )


def clip_skip_as_asked(asked: Asked, got: Returned) -> None:
    """An option that another call left behind shows here: infotexts tell it where it is not 1."""
    wanted = asked.options.get("CLIP_stop_at_last_layers")
    if wanted is None:
        return
    for fields in got.fields:
        told = float(fields.get("Clip skip") or 1)
        if told != max(float(wanted), 1):
            raise WrongAnswer(
                f"{asked.where} was asked for clip skip {wanted} and used {told:g}: an option was left behind there. Set it back."
            )


RECEIPTS: tuple[Callable[[Asked, Returned], None], ...] = (
    not_interrupted,
    all_pictures_came,
    signed_as_asked,
    sent_without_loss,
    sizes_as_asked,
    checkpoint_as_asked,
    vae_as_asked,
    sampler_as_asked,
    scheduler_as_asked,
    loras_loaded,
    embeddings_as_planned,
    units_guided,
    seeds_as_asked,
    clip_skip_as_asked,
    not_blank,
)


def check_receipts(asked: Asked, got: Returned) -> None:
    """All rules. Raises WrongAnswer, and BadRequest or TooLarge for a picture that cannot be opened."""
    for rule in RECEIPTS:
        rule(asked, got)


def lora_hashes(fields: Mapping[str, str]) -> dict[str, str]:
    """Name to hash, from an infotext."""
    return _hashes(fields.get("Lora hashes", ""))


def embedding_hashes(fields: Mapping[str, str]) -> dict[str, str]:
    """The same of textual inversions."""
    return _hashes(fields.get("TI hashes", ""))


def lora_key(name: str) -> str:
    """The name as "Lora hashes" has it."""
    return name.translate(_SYMBOLS)


def not_loaded(name: str, where: str) -> WrongAnswer:
    """For a LoRA that "Lora hashes" does not tell of."""
    return WrongAnswer(f'{where} did not load the LoRA "{name}": its file is missing there, or cannot be read. Put a whole file there.')


def _hashes(told: str) -> dict[str, str]:
    return {name.strip(): hash.lower() for name, hash in re.findall(r"([^,:]+):\s*([0-9a-fA-F]+)", told)}


def _sizes(body: Txt2Img | Img2Img) -> list[tuple[int, int]]:
    """What the pictures may measure."""
    size = (body.width, body.height)
    if isinstance(body, Img2Img):
        # "Only masked" pastes what it drew into the picture that was sent, which keeps its size.
        inside = body.mask is not None and body.inpaint_full_res and body.init_images
        return [decode_picture(body.init_images[0], what="init_images").size] if inside and body.init_images else [size]
    if not body.enable_hr:
        return [size]
    if body.hr_resize_x or body.hr_resize_y:
        across = body.hr_resize_x or body.hr_resize_y * body.width // body.height
        down = body.hr_resize_y or body.hr_resize_x * body.height // body.width
        return [(floor_to_8(across), floor_to_8(down))]
    return [(floor_to_8(int(body.width * body.hr_scale)), floor_to_8(int(body.height * body.hr_scale)))]
