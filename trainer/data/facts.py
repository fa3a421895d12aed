"""What is told of the pictures in the LoRA's file and in reports: how many, in which sizes, with which tags?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trainer.data.buckets import Fit, Size
from trainer.data.captions import plain_caption, tags_of
from trainer.data.example import Example


@dataclass(frozen=True)
class Folder:
    """One folder that was trained on."""

    name: str
    pictures: int
    repeats: int
    regularisation: bool
    tags: dict[str, int]  # how many captions have it, the commonest first


@dataclass(frozen=True)
class Facts:
    """All folders, and how many pictures each bucket has, repeats counted."""

    folders: tuple[Folder, ...]
    buckets: dict[Size, int]

    @property
    def pictures(self) -> int:
        """That are trained on, each counted once."""
        return sum(folder.pictures for folder in self.folders if not folder.regularisation)

    @property
    def trained(self) -> int:
        """Pictures of an epoch, repeats counted, as kohya's ss_num_train_images."""
        return sum(folder.pictures * folder.repeats for folder in self.folders if not folder.regularisation)

    @property
    def regularisation(self) -> int:
        """As kohya's ss_num_reg_images."""
        return sum(folder.pictures * folder.repeats for folder in self.folders if folder.regularisation)


def facts_of(examples: Iterable[Example], fits: Mapping[str, Fit]) -> Facts:
    """Of what is trained on."""
    groups: dict[str, list[Example]] = defaultdict(list)
    buckets: Counter[Size] = Counter()
    for example in examples:
        groups[example.concept.label].append(example)
        buckets[fits[example.name].bucket] += example.concept.repeats
    folders = tuple(_folder(name, group) for name, group in groups.items())
    return Facts(folders, dict(sorted(buckets.items())))


def _folder(name: str, examples: list[Example]) -> Folder:
    tags = Counter(tag for one in examples for tag in dict.fromkeys(tags_of(plain_caption(one), one.concept.captions)))
    concept = examples[0].concept
    return Folder(name, len(examples), concept.repeats, concept.kind == "regularisation", dict(tags.most_common()))
