"""What kinds of masks are there? One file a kind; MASKS lists them, MaskSource asks for one or combines several."""

from lib_extension.masks.mask_type import MaskGiven as MaskGiven
from lib_extension.masks.mask_type import MaskType as MaskType
from lib_extension.masks.mask_type import MaskWork as MaskWork
from lib_extension.masks.source import MASKS as MASKS
from lib_extension.masks.source import MaskSource as MaskSource
from lib_extension.masks.source import make_mask as make_mask
from lib_extension.masks.source import needs_network as needs_network
from lib_extension.masks.source import read_source as read_source
from lib_extension.masks.source import references as references
from lib_extension.masks.source import source_schema as source_schema
