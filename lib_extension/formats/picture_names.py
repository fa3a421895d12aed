"""Which files are pictures, and which of those are masks of others, by their names alone?"""

from __future__ import annotations

READABLE = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif")
MASK_SUFFIX = "-masklabel"  # NAME-masklabel.png beside NAME.jpg is its mask, as OneTrainer has it, and no picture of its own
