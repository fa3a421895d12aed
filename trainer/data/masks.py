"""Which mask's file goes with a picture?"""

from __future__ import annotations

from pathlib import Path

from lib_extension.formats.picture_names import MASK_SUFFIX, READABLE
from trainer.data.folders import Place


def masks_of(place: Place) -> dict[Path, Path]:
    """The masks that there are: in the concept's folder of masks under the picture's name, else beside it as NAME-masklabel.png."""
    root = Path(place.settings.masks).expanduser() if place.settings.masks else None
    in_root = by_stem(root) if root is not None and root.is_dir() else {}
    beside: dict[Path, dict[str, Path]] = {}
    found: dict[Path, Path] = {}
    for file in place.pictures:
        below = file.relative_to(place.concept.folder).with_suffix("").as_posix()
        if file.parent not in beside:
            beside[file.parent] = by_stem(file.parent, deep=False)
        mask = in_root.get(below) or in_root.get(file.stem) or beside[file.parent].get(file.stem + MASK_SUFFIX)
        if mask is not None:
            found[file] = mask
    return found


def by_stem(folder: Path, *, deep: bool = True) -> dict[str, Path]:
    """The pictures of a folder by their paths in it, without endings."""
    files = sorted(folder.rglob("*") if deep else folder.iterdir())
    return {
        file.relative_to(folder).with_suffix("").as_posix(): file for file in files if file.suffix.lower() in READABLE and file.is_file()
    }
