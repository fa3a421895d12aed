"""Which size does a picture get, so that pictures of one shape can be trained on together? Pure.

Sizes are (height, width) in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil, log, sqrt

from lib_extension.spec.training.data import USUAL_RESOLUTION, DataSettings
from trainer.data.example import Example

Size = tuple[int, int]


@dataclass(frozen=True)
class Sizes:
    """What sizes there may be: about the area of a square of side `resolution`, sides multiples of `step` from `shortest` to `longest`."""

    resolution: int
    step: int = 64
    shortest: int = 256
    longest: int = 1024
    upscale: bool = False
    buckets: bool = True


@dataclass(frozen=True)
class Fit:
    """A picture is resized to `resized`, which covers `bucket`; of that, `bucket` is cut out, in the middle at `crop`."""

    bucket: Size
    resized: Size
    crop: tuple[int, int]  # top, left

    @property
    def kept(self) -> float:
        """Share of the picture that is not cut off."""
        return self.bucket[0] * self.bucket[1] / (self.resized[0] * self.resized[1])


def sizes_of(settings: DataSettings, resolution: int) -> Sizes:
    """As the settings say, for pictures of a concept with this resolution; 0: the usual one."""
    resolution = resolution or USUAL_RESOLUTION
    shortest, longest = settings.sides(resolution)
    return Sizes(resolution, settings.bucket_step, shortest, longest, settings.upscale, settings.buckets)


def fit_of(settings: DataSettings, example: Example) -> Fit:
    """For an example that was found fit."""
    fitted = fit(example.width, example.height, sizes_of(settings, example.concept.resolution))
    assert fitted is not None, example.name
    return fitted


def fit(width: int, height: int, sizes: Sizes) -> Fit | None:
    """Where a picture belongs, or None where it is too small for any bucket and must not be enlarged.

    The bucket whose shape is nearest. Where the picture would have to be enlarged for it: a bucket of the picture's own, its sides rounded
    down to the step, which loses a strip of less than a step.
    """
    bucket = _nearest(width, height, _all(sizes)) if sizes.buckets else (sizes.resolution, sizes.resolution)
    if not sizes.upscale and (bucket[0] > height or bucket[1] > width):
        if not sizes.buckets:
            return None
        own = _own(width, height, sizes)
        if own is None:
            return None
        bucket = own
    return _covering(width, height, bucket)


def all_buckets(sizes: Sizes) -> tuple[Size, ...]:
    """For each width the greatest height with which the area is not exceeded, both turned, and a square, as in kohya's trainer."""
    area = sizes.resolution**2
    first = ceil(sizes.shortest / sizes.step) * sizes.step
    last = sizes.longest // sizes.step * sizes.step
    found = set()
    for width in range(first, last + 1, sizes.step):
        height = min(last, area // width // sizes.step * sizes.step)
        if height >= first:
            found |= {(height, width), (width, height)}
    square = max(sizes.step, sizes.resolution // sizes.step * sizes.step)
    return tuple(sorted({*found, (square, square)}))


_all = cache(all_buckets)


def _nearest(width: int, height: int, buckets: tuple[Size, ...]) -> Size:
    """By the ratio of the shapes; of two the larger, which a table of sizes may hold for long shapes."""
    shape = log(width / height)
    return min(buckets, key=lambda size: (round(abs(shape - log(size[1] / size[0])), 9), -size[0] * size[1]))


def _own(width: int, height: int, sizes: Sizes) -> Size | None:
    scale = min(1.0, sizes.resolution / sqrt(width * height))
    sides = [min(int(side * scale + 0.5), side, sizes.longest) // sizes.step * sizes.step for side in (height, width)]
    return (sides[0], sides[1]) if min(sides) > 0 else None


def _covering(width: int, height: int, bucket: Size) -> Fit:
    scale = max(bucket[0] / height, bucket[1] / width)
    resized = max(bucket[0], int(height * scale + 0.5)), max(bucket[1], int(width * scale + 0.5))
    return Fit(bucket, resized, ((resized[0] - bucket[0]) // 2, (resized[1] - bucket[1]) // 2))
