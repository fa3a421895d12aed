"""Which families of base models can be trained? One file each."""

from trainer.families.family import Family, Sizes, TextStates
from trainer.families.sd1 import SD1
from trainer.families.sd2 import SD2
from trainer.families.sdxl import SDXL

FAMILIES: dict[str, Family] = {family.name: family for family in (SD1, SD2, SDXL)}

__all__ = ["FAMILIES", "Family", "Sizes", "TextStates"]
