"""Which pictures is a LoRA trained on, under which captions, in which sizes, and what of them is computed once and kept?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field

ConceptKind = Literal["instance", "regularisation", "validation"]
USUAL_RESOLUTION = 512  # where none is said and the base model's own is not known
_SMALLEST = 64


@dataclass(frozen=True, kw_only=True)
class CaptionSettings(Settings):
    """How a caption becomes the text of one step. Tags are what stands between separators."""

    shuffle: bool = field(False, label="Shuffle tags", help="Another order each time, but for the kept tags.")
    keep_tokens: int = field(0, label="Kept tags", minimum=0, maximum=1000, help="First tags that are never moved or dropped.")
    dropout: float = field(0.0, label="Caption dropout", minimum=0, maximum=1, step=0.01, help="Share of steps with an empty caption.")
    tag_dropout: float = field(0.0, label="Tag dropout", minimum=0, maximum=1, step=0.01, help="Share of tags that are left out.")
    variants: int = field(
        0,
        label="Variants",
        minimum=0,
        maximum=1000,
        help="How many versions of each caption there are, used in turn, so that the text can be cached. 0: a new one each time.",
    )
    prefix: str = field("", label="Prefix", help="Put before every caption, and shuffled with it.", advanced=True)
    suffix: str = field("", label="Suffix", help="Put behind every caption, and shuffled with it.", advanced=True)
    separator: str = field(",", label="Separator", help="Between tags.", advanced=True)
    keep_separator: str = field(
        "", label="Separator of kept tags", advanced=True, help="Such as |||: what stands before it (and behind a second one) is kept."
    )
    joined_separator: str = field(
        "", label="Separator of joined tags", advanced=True, help="Such as ;;;: tags between which it stands are moved and dropped as one."
    )
    lines: Literal["joined", "first", "random"] = field(
        "joined",
        label="Captions of several lines",
        advanced=True,
        help="joined: as one; first: the others are left out; random: one of them.",
    )
    wildcards: bool = field(False, label="Wildcards", advanced=True, help="{red|blue} in a caption becomes one of its words.")
    drop_every: int = field(
        0,
        label="Drop every n epochs",
        minimum=0,
        maximum=10_000,
        advanced=True,
        help="All captions are empty in each n-th epoch; 0: never.",
    )

    def check(self) -> None:
        """Tags need something between them."""
        if not self.separator:
            raise BadRequest("captions.separator is empty; name what stands between tags, such as a comma.")

    @property
    def is_random(self) -> bool:
        """Whether a caption has more versions than itself and the empty one."""
        return self.shuffle or self.tag_dropout > 0 or self.lines == "random" or self.wildcards


@dataclass(frozen=True, kw_only=True)
class AugmentationSettings(Settings):
    """How pictures differ from step to step. Colours and random crops cannot be cached; a flipped picture is cached as a second one."""

    flip: bool = field(False, label="Flip", help="Half of the time a picture is mirrored. Not for faces with a parting, texts or logos.")
    brightness: float = field(0.0, label="Brightness", minimum=0, maximum=1, step=0.05, help="Up to this share brighter or darker.")
    contrast: float = field(0.0, label="Contrast", minimum=0, maximum=1, step=0.05, help="Up to this share more or less.")
    saturation: float = field(0.0, label="Saturation", minimum=0, maximum=1, step=0.05, help="Up to this share more or less.")
    hue: float = field(0.0, label="Hue", minimum=0, maximum=180, step=1, help="Up to so many degrees round the colour circle.")
    random_crop: bool = field(False, label="Random crop", help="Cut at random instead of in the middle.")

    @property
    def uncachable(self) -> tuple[str, ...]:
        """The names of the fields in use that make another latent each time."""
        names = ("brightness", "contrast", "saturation", "hue", "random_crop")
        return tuple(name for name in names if getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class ConceptSettings(Settings):
    """A folder of pictures that belong together."""

    folder: str = field(label="Folder", help="Of pictures with their captions, or with folders in it such as 10_dog (kohya's form).")
    kind: ConceptKind = field(
        "instance", label="Kind", help="regularisation: pictures of the class, weighted by the prior weight; validation: never trained on."
    )
    repeats: int = field(
        0,
        label="Repeats",
        minimum=0,
        maximum=100_000,
        help="How often each picture is seen in an epoch. 0: as in a name such as 10_dog, or 1.",
    )
    weight: float = field(1.0, label="Weight", minimum=0, maximum=100, step=0.1, help="By which the loss of its pictures is multiplied.")
    trigger: str = field(
        "", label="Trigger words", prompt=True, help="Put in front of every caption that lacks them, never moved or dropped."
    )
    fallback: str = field("", label="Caption of pictures without one", prompt=True, help="Such as the class: a dog.")
    metadata: str = field(
        "", label="File of captions", advanced=True, help=".jsonl, or kohya's .json. Empty: metadata.jsonl of the folder, if there is one."
    )
    extensions: tuple[str, ...] = field(
        (".txt", ".caption"), label="Endings of caption files", advanced=True, help="The first found counts."
    )
    masks: str = field(
        "",
        label="Folder of masks",
        help="Files named as the pictures: where they are black, nothing is learnt. Also beside: NAME-masklabel.png.",
    )
    alpha_mask: bool | None = field(None, label="Alpha as mask", advanced=True, help="Empty: as for all concepts.")
    subfolders: bool = field(False, label="With subfolders")
    resolution: int | None = field(
        None, label="Resolution", minimum=_SMALLEST, maximum=8192, step=8, advanced=True, help="Empty: as for all."
    )
    captions: CaptionSettings | None = field(None, label="Captions", advanced=True, help="Empty: as for all concepts.")
    augmentation: AugmentationSettings | None = field(None, label="Augmentation", advanced=True, help="Empty: as for all concepts.")

    def check(self) -> None:
        """A folder must be named."""
        if not self.folder.strip():
            raise BadRequest("A concept's folder is empty; name the folder of its pictures.")
        if bad := [ending for ending in self.extensions if not ending.startswith(".") or len(ending) < 2]:
            raise BadRequest(f'extensions has "{bad[0]}"; endings of caption files begin with a dot, such as .txt.')


@dataclass(frozen=True, kw_only=True)
class DataSettings(Settings):
    """Pictures, captions, sizes and caches."""

    concepts: tuple[ConceptSettings, ...] = field((), label="Concepts")
    batch_size: int = field(1, label="Batch size", minimum=1, maximum=1024, help="Pictures of one step, of each process.")
    resolution: int = field(
        0,
        label="Resolution",
        minimum=0,
        maximum=8192,
        step=8,
        help="Pictures get about the area of a square of so many pixels a side. 0: the base model's own, such as 512, or SDXL's 1024.",
    )
    buckets: bool = field(True, label="Aspect buckets", help="Pictures keep their shape, about; else all are cut to squares.")
    bucket_step: Literal[8, 16, 32, 64, 128] = field(64, label="Bucket step", advanced=True, help="Sides are multiples of so many pixels.")
    bucket_min: int = field(0, label="Shortest side", minimum=0, maximum=8192, advanced=True, help="0: half the resolution.")
    bucket_max: int = field(0, label="Longest side", minimum=0, maximum=16384, advanced=True, help="0: twice the resolution.")
    upscale: bool = field(False, label="Enlarge small pictures", help="Else they are trained on in a smaller size.")
    captions: CaptionSettings = field(CaptionSettings(), label="Captions")
    augmentation: AugmentationSettings = field(AugmentationSettings(), label="Augmentation")
    alpha_mask: bool = field(False, label="Alpha as mask", help="Nothing is learnt where a picture is transparent.")
    unmasked_weight: float = field(
        0.0, label="Weight outside masks", minimum=0, maximum=1, step=0.05, advanced=True, help="Of the loss where a mask is black."
    )
    prior_weight: float = field(1.0, label="Prior weight", minimum=0, maximum=100, step=0.1, help="Of the loss of regularisation pictures.")
    match_regularisation: bool = field(
        True,
        label="As many regularisation pictures as others",
        advanced=True,
        help="In each epoch, in turn, whatever their repeats say; else each as often as its repeats say.",
    )
    validation_share: float = field(
        0.0, label="Validation share", minimum=0, maximum=0.5, step=0.01, help="Of the pictures, kept apart and never trained on."
    )
    leave_out_bad: bool = field(
        False, label="Leave out bad pictures", help="Train without the pictures that cannot be used, instead of saying so and ending."
    )
    cache_latents: bool = field(True, label="Cache latents", help="Encode each picture once, and keep the result on disk.")
    cache_text: bool = field(True, label="Cache text", help="Encode each caption once. Not while the text encoder is trained.")
    cache_folder: str = field(
        "", label="Cache folder", advanced=True, help="Empty: beside the runs. It must not lie in a folder of pictures."
    )

    def check(self) -> None:
        """What fields must agree on."""
        if not any(concept.kind == "instance" for concept in self.concepts):
            raise BadRequest("data.concepts names no folder of pictures to train on; add one of the kind instance.")
        for concept in self.concepts:
            self._check_sizes(concept.resolution or self.resolution or USUAL_RESOLUTION)
            self._check_caches(concept)

    def captions_of(self, concept: ConceptSettings) -> CaptionSettings:
        """Its own, or those of all."""
        return concept.captions or self.captions

    def augmentation_of(self, concept: ConceptSettings) -> AugmentationSettings:
        """Its own, or that of all; pictures for validation stay as they are."""
        if concept.kind == "validation":
            return AugmentationSettings()
        return concept.augmentation or self.augmentation

    def sides(self, resolution: int) -> tuple[int, int]:
        """The shortest and the longest side of a bucket."""
        return self.bucket_min or resolution // 2, self.bucket_max or resolution * 2

    def _check_sizes(self, resolution: int) -> None:
        if resolution % 8 or resolution < _SMALLEST:
            raise BadRequest(f"resolution is {resolution}; it must be a multiple of 8, and at least {_SMALLEST}.")
        shortest, longest = self.sides(resolution)
        if self.buckets and not shortest <= resolution <= longest:
            raise BadRequest(f"Buckets have sides from {shortest} to {longest}; the resolution of {resolution} must lie between them.")
        if self.buckets and longest < self.bucket_step:
            raise BadRequest(f"data.bucket_step is {self.bucket_step}, more than the longest side of {longest}. Choose a smaller one.")

    def _check_caches(self, concept: ConceptSettings) -> None:
        name = concept.folder[-60:]
        if self.cache_latents and (found := self.augmentation_of(concept).uncachable):
            raise BadRequest(
                f'{" and ".join(found)} of "{name}" would make another latent each time. Set data.cache_latents to false, or leave it out.'
            )
        captions = self.captions_of(concept)
        if self.cache_text and captions.is_random and not captions.variants:
            raise BadRequest(
                f'Captions of "{name}" are another text each time (shuffle, tag_dropout, wildcards or random lines). '
                "Set captions.variants, such as 8, or data.cache_text to false."
            )
