"""What does a tagger see otherwise than the captions say? `python -m trainer caption CONFIG existing=compare`: no caption is written."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from lib_extension.captions.compose import chosen
from lib_extension.captions.contradictions import Contradiction, write
from lib_extension.captions.files import Captioned
from lib_extension.captions.tags import spaced, tags_of
from lib_extension.spec.captioning import CaptioningSettings, TaggerSettings
from lib_extension.spec.errors import BadFile, BadRequest
from trainer.captioners.batches import Shown, batches
from trainer.captioners.tagger import TaggerCaptioner
from trainer.report import Report
from trainer.stop import Stop


def compare(captions: Sequence[Captioned], settings: CaptioningSettings, journal: Path, report: Report, stop: Stop) -> bool:
    """Tells each contradiction, and keeps all of them in the journal's folder; False where it was stopped before it had all. BadRequest
    without a tagger, or without a caption."""
    taggers = [TaggerCaptioner(one) for one in settings.captioners if isinstance(one, TaggerSettings)]
    if not taggers:
        raise BadRequest("existing is compare, which needs a tagger among the captioners.")
    wanted = [one for one in captions if one.text and not one.problem]
    if not wanted:
        raise BadRequest("There are no captions to compare with what a tagger sees.")
    begun, compared, failed = time.monotonic(), list[tuple[Captioned, Contradiction]](), 0
    for some in batches(wanted, settings.batch):
        if stop.wanted():
            return False
        for shown in some:
            if shown.picture is None:
                failed += 1
                report.log(f"{shown.captioned.name}: {shown.problem}")
        for shown, seen in _seen(some, taggers):
            found = contradiction(shown.captioned.text, seen, settings)
            compared.append((shown.captioned, found))
            if found != Contradiction():
                report.value("contradiction", name=shown.captioned.name, **asdict(found))
        done = len(compared) + failed
        report.progress(done, len(wanted), "compared", (time.monotonic() - begun) / done * (len(wanted) - done))
    if not compared:
        raise BadFile(f"None of the {len(wanted)} pictures could be looked at; the lines above say why.")
    write(journal, compared)
    contradicted = sum(found != Contradiction() for _, found in compared)
    report.value("compared", pictures=len(compared), contradicted=contradicted, failed=failed)
    return True


def contradiction(text: str, seen: Mapping[str, float], settings: CaptioningSettings) -> Contradiction:
    """Of a caption and the probability (0..1) of every tag that a tagger knows, spelt as captions have it. The strongest come first."""
    own = tags_of(text)
    known = {plain(settings.aliases.get(tag, tag)): p for tag, p in seen.items()}
    unseen = [(tag, round(p, 4)) for tag in own if (p := known.get(plain(tag), 1.0)) < settings.contradict_below]
    clear = {settings.aliases.get(tag, tag): p for tag, p in seen.items() if p > settings.contradict_above}
    words = f" {' '.join(_WORDS.findall(plain(text)))} "
    unsaid = [
        (tag, round(clear[tag], 4))
        for tag in chosen([*own, *clear], settings)
        if tag in clear and f" {' '.join(_WORDS.findall(plain(tag)))} " not in words
    ]
    return Contradiction(tuple(sorted(unseen, key=lambda one: one[1])), tuple(sorted(unsaid, key=lambda one: -one[1])))


_WORDS = re.compile(r"[^\s,.;:!?]+")


@lru_cache(2**16)  # of a tagger with many thousand tags, for every picture
def plain(tag: str) -> str:
    """The same for all spellings: without capitals, underscores, and the backslashes of prompts."""
    return spaced(tag.strip().replace("\\(", "(").replace("\\)", ")")).casefold()


def _seen(some: Sequence[Shown], taggers: Sequence[TaggerCaptioner]) -> list[tuple[Shown, dict[str, float]]]:
    """Each picture that could be read, with what the taggers see; where several know a tag, the one that is surest of it."""
    sound = [(shown, shown.picture) for shown in some if shown.picture is not None]
    if not sound:
        return []
    together: list[dict[str, float]] = [{} for _ in sound]
    for tagger in taggers:
        for all_tags, new in zip(together, tagger.probabilities([picture for _, picture in sound]), strict=True):
            all_tags.update((tag, max(p, all_tags.get(tag, 0.0))) for tag, p in new.items())
    return [(shown, tags) for (shown, _), tags in zip(sound, together, strict=True)]
