"""How a picture is brought to a size: the WebUI's resize modes, and sizes that a VAE can take."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from lib_extension.spec.errors import BadRequest

STRETCH, CROP, FILL, LATENT = range(4)
"""resize_mode of /sdapi: to the size as it is; fill it and cut the rest off; fit into it and extend the edges; stretch the latent."""

Upscale = Callable[[Image.Image, float], Image.Image]
"""(picture, factor > 1) → a picture about that much larger."""


def floor_to_8(pixels: int) -> int:
    """The largest multiple of 8 up to `pixels`: one latent pixel is 8×8."""
    return pixels - pixels % 8


def resize_image(mode: int, image: Image.Image, width: int, height: int, upscale: Upscale | None = None) -> Image.Image:
    """`image` as width × height by the WebUI's resize mode; `upscale` is asked first where the picture grows.

    Raises BadRequest for an unknown mode. LATENT needs no resized picture, so it is refused too: the caller decides before.
    """
    if mode == STRETCH:
        return _resize(image, width, height, upscale)
    if mode == CROP:
        return _crop_to(image, width, height, upscale)
    if mode == FILL:
        return _fill_to(image, width, height, upscale)
    raise BadRequest(f"resize_mode is {mode}; it must be 0 (stretch), 1 (crop) or 2 (fill) here.")


def _resize(image: Image.Image, width: int, height: int, upscale: Upscale | None) -> Image.Image:
    factor = max(width / image.width, height / image.height)
    if upscale is not None and factor > 1 and image.mode != "L":
        image = upscale(image, factor)
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.LANCZOS)


def _scaled_size(image: Image.Image, width: int, height: int, *, covering: bool) -> tuple[int, int]:
    """The size with the picture's own proportions that covers width × height, or fits into it."""
    wider = width / height > image.width / image.height
    by_width = wider if covering else not wider
    if by_width:
        return width, max(1, image.height * width // image.width)
    return max(1, image.width * height // image.height), height


def _crop_to(image: Image.Image, width: int, height: int, upscale: Upscale | None) -> Image.Image:
    inner_width, inner_height = _scaled_size(image, width, height, covering=True)
    canvas = Image.new(image.mode, (width, height))
    canvas.paste(_resize(image, inner_width, inner_height, upscale), (width // 2 - inner_width // 2, height // 2 - inner_height // 2))
    return canvas


def _fill_to(image: Image.Image, width: int, height: int, upscale: Upscale | None) -> Image.Image:
    inner_width, inner_height = _scaled_size(image, width, height, covering=False)
    inner = _resize(image, inner_width, inner_height, upscale)
    canvas = Image.new(image.mode, (width, height))
    left, top = width // 2 - inner_width // 2, height // 2 - inner_height // 2
    canvas.paste(inner, (left, top))
    # A box without height is resampled from the outermost two rows, as the WebUI does it. Unlike there, the last row or column of an
    # odd difference is filled as well, and does not stay black.
    below, right = height - top - inner_height, width - left - inner_width
    for rows, edge, at in ((top, 0, 0), (below, inner_height, top + inner_height)):
        if rows > 0:
            canvas.paste(inner.resize((inner_width, rows), box=(0, edge, inner_width, edge)), (left, at))
    for columns, edge, at in ((left, 0, 0), (right, inner_width, left + inner_width)):
        if columns > 0:
            canvas.paste(inner.resize((columns, inner_height), box=(edge, 0, edge, inner_height)), (at, top))
    return canvas
