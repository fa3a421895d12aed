"""Which colours does a picture have whose profile is for printing or for grey values, and so fits nothing that is written?"""

from __future__ import annotations

import io

from PIL import Image, ImageCms

_SPACE = slice(16, 20)  # of a profile: the name of the colours that it is for
_MODES = {b"CMYK": "CMYK", b"GRAY": "L"}


def with_known_colours(picture: Image.Image) -> Image.Image:
    """The picture as it is, where it has no profile or one for RGB, which goes along; else as RGB by its profile, without it.

    Where the profile is of no use, the picture is as without one. Grey values stay grey ones where no alpha goes with them.
    """
    data = picture.info.get("icc_profile")
    if not data or (data[_SPACE] == b"RGB " and picture.mode != "CMYK"):
        return picture
    try:
        converted = _by(data, picture)
    except (ImageCms.PyCMSError, OSError, ValueError):
        converted = None
    picture = converted or picture.copy()
    picture.info.pop("icc_profile", None)
    return picture


def _by(data: bytes, picture: Image.Image) -> Image.Image | None:
    """By the profile; None where it is for other colours than the picture has."""
    if _MODES.get(data[_SPACE]) != picture.mode:
        return None
    converted = ImageCms.profileToProfile(
        picture, ImageCms.ImageCmsProfile(io.BytesIO(data)), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    return converted.convert("L") if converted and picture.mode == "L" else converted
