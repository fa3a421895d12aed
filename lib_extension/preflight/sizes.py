"""Are pictures drawn at a size that the model, the host and the memory can bear?"""

from __future__ import annotations

from collections.abc import Iterator

from lib_extension.pictures.png import MOST_PIXELS
from lib_extension.preflight.finding import Finding
from lib_extension.preflight.look import Look, Size
from lib_extension.preflight.picture_sizes import drawn_size, result_size
from lib_extension.stages.frame import up_to_8
from lib_extension.stages.txt2img import Txt2ImgStage
from lib_extension.stages.upscale import UpscaleStage

MOST_AT_ONCE = 8  # where the WebUIs' own slider ends
ENGINE_LONGEST_SIDE = 8192  # px
TOO_LARGE, TOO_SMALL = 2.25, 0.4  # times the pixels that the model was trained on
FREE_HAND = 0.5  # denoising strength from which on a redraw composes anew
FREE_HAND_ENLARGED = 0.7  # ... of a picture that was enlarged for it, where stretched latents need more than 0.5


def size_not_multiple_of_8(look: Look) -> Iterator[Finding]:
    """One pixel of what the model works on is 8×8."""
    for field in ("width", "height") if look.drawn else ():
        side = getattr(look.drawn, field)
        if side % 8:
            yield look.warning(
                field,
                f"{field} is {side}, no multiple of 8: the picture is drawn at {up_to_8(side)} and cut to {side}. "
                f"{side // 8 * 8 or 8} or {up_to_8(side)} would be drawn as it is.",
            )


def picture_too_large(look: Look) -> Iterator[Finding]:
    """Beyond this, nothing is stored."""
    size = result_size(look.stage, _taken(look))
    if size is not None and size[0] * size[1] > MOST_PIXELS:
        yield look.error(
            _size_field(look, size),
            f"The pictures would be {size[0]}×{size[1]}; {MOST_PIXELS // 1_000_000} megapixels is the most. Make them smaller.",
        )


def far_from_training_size(look: Look) -> Iterator[Finding]:
    """A model composes well near the size that it was trained at; models that say nothing of it are left alone."""
    size = drawn_size(look.stage, _taken(look))
    kind = look.checkpoint_kind
    if look.drawn is None or size is None or kind is None or not kind.side or look.checkpoint is None:
        return
    ratio = size[0] * size[1] / kind.side**2
    free_hand = FREE_HAND_ENLARGED if isinstance(look.stage, UpscaleStage) else FREE_HAND
    composes = isinstance(look.stage, Txt2ImgStage) or getattr(look.stage, "denoising_strength", 0) > free_hand
    told = f'"{look.checkpoint.name}" was trained at {kind.side}×{kind.side} and is to draw {size[0]}×{size[1]}'
    if ratio > TOO_LARGE and composes:
        advice = f"Draw it near {kind.side} pixels and enlarge it in a stage of the type upscale."
        yield look.warning(_size_field(look, size), f"{told}: things would show up twice. {advice}")
    elif ratio < TOO_SMALL:
        yield look.warning(_size_field(look, size), f"{told}: at that size it draws parts of things. Draw it larger and export it smaller.")


def batch_beyond_limits(look: Look) -> Iterator[Finding]:
    """Pictures of one batch are in memory at once."""
    if look.drawn is None:
        return
    batch = look.drawn.batch_size
    largest = result_size if isinstance(look.stage, Txt2ImgStage) else drawn_size
    size = largest(look.stage, _taken(look)) or (0, 0)
    one_by_one = f"Set batch_size to 1 and n_iter to {look.drawn.count}: the same pictures, one after the other."
    if look.inventory.host == "engine":
        if max(size) > ENGINE_LONGEST_SIDE:
            yield look.error(_size_field(look, size), f"The engine draws {ENGINE_LONGEST_SIDE} pixels a side at most, not {max(size)}.")
        elif batch > 1 and size[0] * size[1] * batch > MOST_PIXELS:
            told = f"{batch} pictures of {size[0]}×{size[1]} at once are more than {MOST_PIXELS // 1_000_000} megapixels"
            yield look.error("batch_size", f"{told}, the engine's most. {one_by_one}")
    elif batch > MOST_AT_ONCE:
        told = f"{batch} pictures at once are more than the {MOST_AT_ONCE} that a WebUI's own page allows, and may run out of memory."
        yield look.warning("batch_size", f"{told} {one_by_one}")


def tile_beyond_picture(look: Look) -> Iterator[Finding]:
    """Then there is one tile."""
    stage = look.stage
    if not isinstance(stage, UpscaleStage) or stage.method != "tiled":
        return
    size = result_size(stage, _taken(look))
    if size is not None and stage.tile >= max(size):
        yield look.warning(
            "tile",
            f"A tile of {stage.tile} is as large as the enlarged picture, {size[0]}×{size[1]}: it is redrawn at once. "
            'Use a smaller tile, or the method "hires", which is the same.',
        )


def _taken(look: Look) -> Size | None:
    return (look.taken.width, look.taken.height) if look.taken else None


def _size_field(look: Look, size: Size) -> str:
    """The field beside which a size is told."""
    longer = "width" if size[0] >= size[1] else "height"
    if isinstance(look.stage, Txt2ImgStage) and size != (look.stage.width, look.stage.height):
        return "hires"
    if getattr(look.stage, longer, 0):
        return longer
    return "scale" if hasattr(look.stage, "scale") else "takes"
