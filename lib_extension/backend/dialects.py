"""How is a call worded so that each host does what it says? They read the same bodies, and act on different parts of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib_extension.spec.controlnet import ControlNetUnit
from lib_extension.spec.inventory import NOTHING, Host, Identity, Inventory
from lib_extension.spec.sdapi import Txt2Img

CONTROLNET = "controlnet"  # the script's name in lower case is taken everywhere

# Options that the answer must be made with to be checked and stored; sent along where the host has another value.
NEEDED_OPTIONS: Mapping[str, Any] = {
    "samples_format": "png",
    "enable_pnginfo": True,
    "add_model_hash_to_info": True,
    "add_model_name_to_info": True,
    "lora_add_hashes_to_infotext": True,
    "textual_inversion_add_hashes_to_infotext": True,
    "control_net_no_detectmap": False,
    "return_mask": False,
    "return_mask_composite": False,
}


@dataclass(frozen=True)
class Dialect:
    """What differs between hosts, as found by trying them."""

    host: Host
    sends_maps: bool = True  # a unit's map comes back behind the pictures
    maps_prove: bool = True  # ... and only where its model was loaded as well
    control_modes: bool = True
    guards_itself: bool = False  # refuses what it cannot do, and tells of interrupts
    names_modules: bool = False  # a VAE goes by forge_additional_modules
    mask_field: str = "mask"  # of a ControlNet unit
    second_cfg: bool = False  # a second pass has a CFG scale of its own, which is 1 where none is sent

    def unit(self, unit: ControlNetUnit, inventory: Inventory) -> dict[str, Any]:
        """A unit in the form that works there: listed names, base64 text, and its map asked for wherever that is a proof."""
        sent = {name: value for name, value in dataclasses.asdict(unit).items() if value is not None}
        sent["module"] = inventory.module(unit.module) or unit.module
        sent["model"] = inventory.controlnet(unit.model) or "None"
        sent["save_detected_map"] = self.sends_maps
        if "mask" in sent:
            sent[self.mask_field] = sent.pop("mask")
        return sent

    def second_pass(self, body: Txt2Img) -> dict[str, Any]:
        """Fields that this host needs to draw a second pass as the first; without its list of modules, Forge breaks."""
        if not body.enable_hr:
            return {}
        modules = {"hr_additional_modules": ["Use same choices"]} if self.names_modules else {}
        return modules | ({"hr_cfg": body.cfg_scale} if self.second_cfg else {})

    def overrides(self, asked: Mapping[str, Any], inventory: Inventory) -> dict[str, Any]:
        """override_settings with the checkpoint named, and with what the answer needs where the host is set otherwise."""
        sent = {name: value for name, value in NEEDED_OPTIONS.items() if inventory.options.get(name, value) != value}
        sent |= asked
        checkpoint = inventory.checkpoint(str(asked.get("sd_model_checkpoint") or ""))
        if checkpoint is not None:
            sent["sd_model_checkpoint"] = checkpoint.title
        if self.names_modules and "sd_vae" in sent:
            vae = sent.pop("sd_vae")
            sent["forge_additional_modules"] = [] if vae in NOTHING else [vae]
        return sent


DIALECTS = (
    Dialect("engine", guards_itself=True),
    Dialect("a1111"),
    Dialect("forge", maps_prove=False, names_modules=True, mask_field="mask_image", second_cfg=True),
    Dialect("reforge", sends_maps=False, maps_prove=False, control_modes=False, mask_field="mask_image", second_cfg=True),
)


def dialect_of(identity: Identity) -> Dialect:
    """The one that this host speaks."""
    return next(dialect for dialect in DIALECTS if dialect.host == identity.host)
