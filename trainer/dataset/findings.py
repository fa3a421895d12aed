"""What is wrong with a folder of pictures, and what is proposed for each? Pure: from what was seen of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import exp, log
from statistics import median

from lib_extension.spec.dataset import CheckLimits
from trainer.data import mistakes
from trainer.dataset.facts import Facts
from trainer.dataset.seen import Seen
from trainer.dataset.twins import clusters

_ODD_SHAPE = 2.0  # times as wide or as high as most


@dataclass(frozen=True)
class Finding:
    """One thing about one picture. `with_it` are the others of a cluster."""

    kind: str
    name: str
    what: str
    proposal: str
    with_it: tuple[str, ...] = field(default=())


KINDS = {
    "broken": "Cannot be used",
    "twin": "The same picture",
    "alike": "Alike",
    "tiny": "Tiny",
    "blurred": "Blurred",
    "dark": "Too dark",
    "bright": "Too bright",
    "clipped": "Black or white in large parts",
    "subject": "Subject cut by the crop",
    "cut": "Cut by the crop",
    "shape": "Of another shape than the others",
    "turned": "Turned by EXIF",
    "transparent": "Transparent",
    "odd": "Of an odd kind",
}


def findings_of(seen: Sequence[Seen], limits: CheckLimits) -> list[Finding]:
    """All of them, by kind in the order of KINDS, then in the pictures' order."""
    found = [finding for one in seen for finding in _alone(one, limits)]
    found += _alike(seen, limits.alike)
    found += _shapes(seen)
    places = {one.name: place for place, one in enumerate(seen)}
    kinds = tuple(KINDS)
    return sorted(found, key=lambda finding: (kinds.index(finding.kind), places[finding.name]))


def _alone(one: Seen, limits: CheckLimits) -> Iterator[Finding]:
    """What can be told from the picture by itself."""
    if one.facts is None:
        what = "; ".join(one.look.found) + (f" ({one.look.detail})" if one.look.detail else "")
        yield Finding("broken", one.name, what, "Replace it by a sound copy, or leave it out.")
        return
    shorter = min(one.look.width, one.look.height)
    if shorter < limits.smallest:
        yield Finding(
            "tiny", one.name, f"{one.look.width} × {one.look.height} pixels", "Take a larger copy, or enlarge it with an upscaler."
        )
    yield from _light(one.name, one.facts, limits)
    if one.facts.sharpness < limits.blurred:
        yield Finding(
            "blurred", one.name, f"sharpness {one.facts.sharpness:.0f}", "Leave it out, or take a sharper one: blur is learnt too."
        )
    if one.look.turned:
        yield Finding(
            "turned", one.name, "only its EXIF says which side is up", "Nothing: it is turned when it is read. Preparing writes it so."
        )
    if one.look.alpha and not one.look.visible:
        yield Finding("transparent", one.name, "transparent everywhere", "Leave it out.")
    elif one.look.alpha:
        yield Finding(
            "transparent", one.name, "has an alpha channel", "It is seen on white; or let alpha be its mask; or fill the background."
        )
    for what in one.look.found:
        proposal = "Prepare it as PNG." if what != mistakes.MISLABELLED.what else "Give it the ending of what it is."
        yield Finding("odd", one.name, what, proposal)
    yield from _crops(one, limits)


def _light(name: str, facts: Facts, limits: CheckLimits) -> Iterator[Finding]:
    light = f"mean brightness {facts.brightness:.0f} of 255"
    if facts.brightness < limits.dark:
        yield Finding("dark", name, light, "Brighten it, or leave it out, unless it is meant to be dark.")
    if facts.brightness > limits.bright:
        yield Finding("bright", name, light, "Darken it, or leave it out, unless it is meant to be bright.")
    if facts.clipped > limits.clipped:
        yield Finding(
            "clipped", name, f"{facts.clipped:.0%} of its pixels are black or white", "Vary the backgrounds: a plain one is learnt too."
        )


def _crops(one: Seen, limits: CheckLimits) -> Iterator[Finding]:
    if one.fit is None:
        yield Finding("tiny", one.name, "smaller than the smallest bucket", "Enlarge it, or leave it out.")
        return
    bucket = f"{one.fit.bucket[1]} × {one.fit.bucket[0]}"
    if one.subject_kept is not None and 1 - one.subject_kept > limits.lost:
        what = f"{1 - one.subject_kept:.0%} of its subject is outside the bucket {bucket}"
        yield Finding("subject", one.name, what, "Crop it around the subject, or by hand.")
    if 1 - one.fit.kept > limits.lost:
        what = f"{1 - one.fit.kept:.0%} of it is outside the bucket {bucket}"
        yield Finding("cut", one.name, what, "Crop it by hand, or allow longer buckets.")


def _alike(seen: Sequence[Seen], alike: int) -> Iterator[Finding]:
    """The largest of each cluster is proposed to be kept; every other one names it."""
    usable = [one for one in seen if one.facts is not None]
    facts = [one.facts for one in usable if one.facts is not None]
    by_hash: dict[str, list[Seen]] = {}
    for one in usable:
        by_hash.setdefault(one.look.sha256, []).append(one)
    groups = [sorted(group, key=lambda one: len(one.name)) for group in by_hash.values()]  # copies get the longer names
    for first, *others in groups:
        for other in others:
            yield Finding(
                "twin", other.name, f"the same bytes as {first.name}", "Leave it out; repeats make a picture count more.", (first.name,)
            )
    copies = {other.name for _, *others in groups for other in others}
    for group in clusters(facts, alike):
        members = [usable[place] for place in group if usable[place].name not in copies]
        if len(members) < 2:
            continue
        best = max(members, key=lambda one: (one.look.width * one.look.height, one.facts.sharpness if one.facts else 0.0))
        for other in members:
            if other is not best:
                rest = (best.name, *(one.name for one in members if one is not other and one is not best))
                yield Finding(
                    "alike",
                    other.name,
                    f"looks like {best.name}",
                    f"Keep {best.name}, which is the largest, unless they differ in what counts.",
                    rest,
                )


def _shapes(seen: Sequence[Seen]) -> Iterator[Finding]:
    shapes = {one.name: log(one.look.width / one.look.height) for one in seen if one.facts is not None}
    if len(shapes) < 5:
        return
    middle = median(shapes.values())
    for name, shape in shapes.items():
        if abs(shape - middle) > log(_ODD_SHAPE):
            what = f"width to height {exp(shape):.2f}, of most {exp(middle):.2f}"
            yield Finding("shape", name, what, "Crop it: a picture alone in its bucket is trained on in smaller batches.")
