"""What is there to train on, and what is wrong with it? Every mistake of every folder, before anything is trained."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.training.data import DataSettings
from trainer.data import mistakes
from trainer.data.buckets import fit, sizes_of
from trainer.data.caption_files import captions_of
from trainer.data.example import Example, Problem
from trainer.data.folders import Place, places_of
from trainer.data.looks import Look, Progress, look_at_all
from trainer.data.masks import masks_of
from trainer.data.mistakes import Mistake

MEMORY = "pictures.json"  # of what pictures look like, in the cache folder
_MUCH_SMALLER = 0.25  # of the resolution's area
_MUCH_CUT = 0.75  # kept of the picture


@dataclass(frozen=True)
class Found:
    """What was found: to train on, to measure by, and the mistakes."""

    examples: tuple[Example, ...]
    validation: tuple[Example, ...]
    problems: tuple[Problem, ...]

    @property
    def fatal(self) -> bool:
        return any(problem.fatal for problem in self.problems)

    def lines(self) -> list[str]:
        """All mistakes for people, one line for each kind."""
        return mistakes.lines(self.problems)

    def refuse_if_bad(self) -> None:
        """BadRequest with every fatal mistake."""
        bad = [problem for problem in self.problems if problem.fatal]
        if bad:
            hint = " data.leave_out_bad trains without such pictures." if all(map(mistakes.can_be_left_out, bad)) else ""
            raise BadRequest(
                "The pictures cannot be trained on.\n" + "\n".join(mistakes.lines(bad)) + ("\n" + hint.strip() if hint else "")
            )


def find_examples(settings: DataSettings, cache_folder: Path | None = None, told: Progress | None = None, remembers: bool = True) -> Found:
    """Looks at every picture, caption and mask. In `cache_folder` is remembered what pictures look like, if it `remembers`."""
    places, problems = places_of(settings)
    if cache_folder is not None:
        problems += [mistakes.CACHE_INSIDE.at(place.label) for place in places if _is_inside(cache_folder, place.concept.folder)]
    memory = cache_folder / MEMORY if cache_folder and remembers and not problems else None
    masks = {place.label: masks_of(place) for place in places}
    files = [file for place in places for file in (*place.pictures, *masks[place.label].values())]
    looks = look_at_all(files, memory, told)
    examples: list[Example] = []
    for place in places:
        found, wrong = _examples(settings, place, masks[place.label], looks)
        examples += found
        problems += wrong
    examples, problems = _without_bad(settings, examples, problems)
    problems += _twins(examples)
    problems += _left_empty(places, examples, problems)
    training, validation = _split(examples, settings.validation_share)
    problems += _in_both(training, validation)
    return Found(training, validation, tuple(problems))


def _examples(
    settings: DataSettings, place: Place, masks: dict[Path, Path], looks: dict[Path, Look]
) -> tuple[list[Example], list[Problem]]:
    """Those of one place, the bad ones too, as long as anything is known of them."""
    captions, problems = captions_of(place)
    problems += _missing_captions(place, captions) + list(_same_names(place))
    problems += [mistakes.OTHER_KIND.at(place.name_of(file)) for file in place.others]
    if place.settings.masks and not Path(place.settings.masks).expanduser().is_dir():
        problems.append(mistakes.NO_MASK_FOLDER.at(place.settings.masks))
    alpha = settings.alpha_mask if place.settings.alpha_mask is None else place.settings.alpha_mask
    examples = []
    for file in place.pictures:
        look = looks[file]
        name = place.name_of(file)
        problems += [mistakes.BY_TEXT[what].at(name, look.detail) for what in look.found]
        if not look.sha256:
            continue
        example = Example(file, name, place.concept, look.width, look.height, look.sha256, captions.get(file, place.fallback))
        mask = masks.get(file)
        if mask is not None:
            example = replace(example, mask=mask, mask_sha256=looks[mask].sha256)
        elif alpha and look.alpha:
            example = replace(example, alpha_mask=True)
        wrong = _of_size(settings, example), _of_mask(place, example, look, looks[mask] if mask else None, alpha)
        problems += [mistake.at(name, detail) for mistake, detail in filter(None, wrong)]
        examples.append(example)
    return examples, problems


def _of_size(settings: DataSettings, example: Example) -> tuple[Mistake, str] | None:
    sizes = sizes_of(settings, example.concept.resolution)
    fitted = fit(example.width, example.height, sizes)
    size = f"{example.width}×{example.height}"
    if fitted is None:
        return mistakes.TOO_SMALL, size
    if not settings.upscale and example.width * example.height < _MUCH_SMALLER * sizes.resolution**2:
        return mistakes.FEW_PIXELS, size
    return (mistakes.CUT_A_LOT, f"{1 - fitted.kept:.0%}") if fitted.kept < _MUCH_CUT else None


def _of_mask(place: Place, example: Example, look: Look, mask: Look | None, alpha: bool) -> tuple[Mistake, str] | None:
    if mask is not None:
        if not mask.sha256:
            return mistakes.BAD_MASK, mask.detail
        if not mask.bright:
            return mistakes.BLACK_MASK, ""
        if abs(mask.width * example.height - mask.height * example.width) > 0.02 * mask.width * example.height:
            return mistakes.ODD_MASK, f"{mask.width}×{mask.height} for {example.width}×{example.height}"
        return None
    if example.alpha_mask:
        return None if look.visible else (mistakes.TRANSPARENT, "")
    if alpha:
        return mistakes.NO_ALPHA, ""
    return (mistakes.NO_MASK, "") if place.settings.masks else None


def _missing_captions(place: Place, captions: dict[Path, str]) -> list[Problem]:
    """None at all is a mistake that nobody means; some is worth saying."""
    if place.fallback or place.concept.trigger:
        return []
    missing = [file for file in place.pictures if file not in captions]
    if len(missing) == len(place.pictures):
        return [mistakes.NO_CAPTIONS.at(place.label)]
    return [mistakes.NO_CAPTION.at(place.name_of(file)) for file in missing]


def _same_names(place: Place) -> Iterator[Problem]:
    counts = Counter(file.with_suffix("") for file in place.pictures)
    yield from (mistakes.SAME_NAME.at(place.name_of(file)) for file in place.pictures if counts[file.with_suffix("")] > 1)


def _without_bad(settings: DataSettings, examples: list[Example], problems: list[Problem]) -> tuple[list[Example], list[Problem]]:
    """Examples with a fatal mistake go; where that is wanted, the mistake is then no longer fatal."""
    bad = {problem.file for problem in problems if mistakes.can_be_left_out(problem)}
    if settings.leave_out_bad:
        problems = [replace(one, fatal=False) if mistakes.can_be_left_out(one) else one for one in problems]
    return [example for example in examples if example.name not in bad], problems


def _left_empty(places: Iterable[Place], examples: Iterable[Example], problems: Iterable[Problem]) -> Iterator[Problem]:
    """Folders whose last picture was left out."""
    if any(problem.fatal for problem in problems):
        return
    used = {example.concept.folder for example in examples}
    yield from (mistakes.NOTHING_LEFT.at(place.label) for place in places if place.concept.folder not in used)


def _twins(examples: Iterable[Example]) -> Iterator[Problem]:
    """Pictures of the same bytes: each counts, which is seldom meant."""
    first: dict[tuple[str, str], str] = {}
    for example in examples:
        key = example.concept.kind, example.sha256
        if key in first:
            yield mistakes.SAME_PICTURE.at(example.name, first[key])
        first.setdefault(key, example.name)


def _in_both(training: Iterable[Example], validation: Iterable[Example]) -> Iterator[Problem]:
    kept = {example.sha256 for example in validation}
    yield from (mistakes.IN_BOTH.at(example.name) for example in training if example.sha256 in kept)


def _split(examples: Iterable[Example], share: float) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Training and validation. Of each concept those pictures are kept apart whose hashes are lowest: the same ones in every run,
    copies of a picture together, and hardly others when pictures are added."""
    by_place: dict[Path, list[Example]] = defaultdict(list)
    for example in examples:
        if example.concept.kind == "instance":
            by_place[example.concept.folder].append(example)
    apart: set[str] = set()
    for group in by_place.values():
        hashes = sorted({example.sha256 for example in group})
        count = min(len(hashes) - 1, max(1, round(share * len(hashes)))) if share else 0
        apart.update(hashes[:count])
    kept = [one for one in examples if one.concept.kind == "validation" or (one.concept.kind == "instance" and one.sha256 in apart)]
    names = {one.name for one in kept}
    return tuple(one for one in examples if one.name not in names), tuple(kept)


def _is_inside(folder: Path, other: Path) -> bool:
    return folder.resolve().is_relative_to(other.resolve())
