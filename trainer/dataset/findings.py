"""What is wrong with a folder of pictures, and what is proposed for each? Pure: from what was seen of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import exp, log
from statistics import median

from lib_extension.spec.dataset import CheckLimits
from trainer.data import mistakes
from trainer.dataset.facts import Facts
from trainer.dataset.seen import Seen
from trainer.dataset.twins import clusters

_ODD_SHAPE = 2.0  # times as wide or as high as most
_COLOURLESS = (mistakes.GREY.what, mistakes.BLACK_AND_WHITE.what)
_ODD = {
    mistakes.MISLABELLED.what: "Give it the ending of what it is.",
    mistakes.PALETTE.what: "Take the original, if there is one: bands and dots are learnt too.",
    **dict.fromkeys(_COLOURLESS, "Say so in its caption, or leave it out: that it has no colours is learnt too."),
}


@dataclass(frozen=True)
class Finding:
    """One thing about one picture. `with_it` are those that it is like, the one to keep last."""

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
    colourless = sum(finding.what in _COLOURLESS for finding in found)
    if 2 * colourless > len(seen):  # it is a folder of such pictures
        found = [finding for finding in found if finding.what not in _COLOURLESS]
    twins = list(_twins(seen))
    copies = {twin.name for twin in twins}
    found += twins
    found += _alike((one for one in seen if one.name not in copies), limits.alike)
    found += _shapes(seen)
    places = {one.name: place for place, one in enumerate(seen)}
    kinds = tuple(KINDS)
    return sorted(found, key=lambda finding: (kinds.index(finding.kind), places[finding.name]))


def _alone(one: Seen, limits: CheckLimits) -> Iterator[Finding]:
    """What can be told from the picture by itself."""
    if one.facts is None:
        what = "; ".join(one.look.found) + (f" ({one.look.detail})" if one.look.detail else "")
        is_other = mistakes.UNKNOWN_KIND.what in one.look.found
        proposal = "Save it anew, or leave it out." if is_other else "Replace it by a sound copy, or leave it out."
        yield Finding("broken", one.name, what, proposal)
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
        yield Finding("odd", one.name, what, _ODD.get(what, "Prepare it as PNG."))
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


def _twins(seen: Sequence[Seen]) -> Iterator[Finding]:
    """Copies of the same bytes; they get the longer names."""
    by_hash: dict[str, list[Seen]] = {}
    for one in seen:
        if one.facts is not None:
            by_hash.setdefault(one.look.sha256, []).append(one)
    for group in by_hash.values():
        first, *others = sorted(group, key=lambda one: len(one.name))
        for other in others:
            what = f"the same bytes as {first.name}"
            yield Finding("twin", other.name, what, "Leave it out; repeats make a picture count more.", (first.name,))


def _alike(seen: Iterable[Seen], alike: int) -> Iterator[Finding]:
    """The largest of each cluster, the sharpest of those, is proposed to be kept; every other one names what it is like."""
    usable = [(one, one.facts) for one in seen if one.facts is not None]
    ordered = sorted(usable, key=lambda one: (-one[0].look.width * one[0].look.height, -one[1].sharpness))
    names = [one.name for one, _ in ordered]
    for group in clusters([facts for _, facts in ordered], alike):
        best = names[next(iter(group))]
        for place, by in group.items():
            if names[place] != best:
                yield _like(names[place], names[by], best, len(group))


def _like(name: str, by: str, best: str, many: int) -> Finding:
    """`by`: the one that it looks like."""
    if by == best:
        proposal = f"Keep {best}, the largest or the sharpest of {many}, unless they differ in what counts."
        return Finding("alike", name, f"looks like {best}", proposal, (best,))
    proposal = f"Compare the {many} of them, each of which looks like another: {best} is the largest or the sharpest."
    return Finding("alike", name, f"looks like {by}, and that, step by step, like {best}", proposal, (by, best))


def clusters_in(findings: Iterable[Finding]) -> list[list[str]]:
    """The names of pictures that look alike, of each cluster the one first that is proposed to be kept."""
    groups: dict[str, list[str]] = {}
    for finding in findings:
        if finding.kind == "alike":
            best = finding.with_it[-1]
            groups.setdefault(best, [best]).append(finding.name)
    return list(groups.values())


def _shapes(seen: Sequence[Seen]) -> Iterator[Finding]:
    shapes = {one.name: log(one.look.width / one.look.height) for one in seen if one.facts is not None}
    if len(shapes) < 5:
        return
    middle = median(shapes.values())
    for name, shape in shapes.items():
        if abs(shape - middle) > log(_ODD_SHAPE):
            what = f"width to height {exp(shape):.2f}, of most {exp(middle):.2f}"
            yield Finding("shape", name, what, "Crop it: a picture alone in its bucket is trained on in smaller batches.")
