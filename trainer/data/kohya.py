"""How is a dataset file of kohya's trainer (TOML or JSON, `--dataset_config`) read as our settings?

What stands in [general] holds for all [[datasets]], what stands there for all [[datasets.subsets]]. Folders such as 10_dog need no file:
a concept's folder may hold them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

from lib_extension.spec.errors import BadFile, BadRequest, NotFound, near_miss
from lib_extension.spec.settings import from_json, to_json
from lib_extension.spec.training.data import DataSettings
from trainer.config_file import read_toml

Options = Mapping[str, Any]

_CAPTIONS = {
    "shuffle_caption": "shuffle",
    "keep_tokens": "keep_tokens",
    "keep_tokens_separator": "keep_separator",
    "caption_separator": "separator",
    "secondary_separator": "joined_separator",
    "enable_wildcard": "wildcards",
    "caption_prefix": "prefix",
    "caption_suffix": "suffix",
    "caption_dropout_rate": "dropout",
    "caption_dropout_every_n_epochs": "drop_every",
    "caption_tag_dropout_rate": "tag_dropout",
}
_CONCEPT = {
    "class_tokens": "fallback",
    "metadata_file": "metadata",
    "conditioning_data_dir": "masks",
    "alpha_mask": "alpha_mask",
}
_OTHER_SUBSET = ("image_dir", "num_repeats", "is_reg", "caption_extension", "flip_aug", "color_aug", "random_crop")
_COMMON = {
    "batch_size": "batch_size",
    "enable_bucket": "buckets",
    "bucket_reso_steps": "bucket_step",
    "min_bucket_reso": "bucket_min",
    "max_bucket_reso": "bucket_max",
}
_OTHER_DATASET = ("resolution", "bucket_no_upscale", "validation_split")
_WITHOUT_EFFECT = ("cache_info", "debug_dataset", "max_token_length")
_NOT_DONE = (
    "face_crop_aug_range",
    "token_warmup_min",
    "token_warmup_step",
    "custom_attributes",
    "resize_interpolation",
    "network_multiplier",
    "validation_seed",
)
_ELSEWHERE = {"prior_loss_weight": "prior_weight"}
KNOWN = (*_CAPTIONS, *_CONCEPT, *_OTHER_SUBSET, *_COMMON, *_OTHER_DATASET, *_WITHOUT_EFFECT, *_NOT_DONE, *_ELSEWHERE)

# Of kohya's colour augmentation: hue by 8 of OpenCV's half degrees, gamma by 5 %.
_COLOUR = {"hue": 16, "brightness": 0.05}
_DEFAULTS: Options = {"enable_bucket": False, "min_bucket_reso": 256, "max_bucket_reso": 1024, "resolution": 512}


@dataclass(frozen=True)
class Read:
    """The settings, and what of the file is done otherwise here."""

    settings: DataSettings
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Subset:
    options: Options  # with those of its dataset and the general ones
    dataset: int


def read_dataset(file: Path) -> Read:
    """BadFile, NotFound or BadRequest where the file is not there, not TOML or JSON, or asks for something that there is not."""
    subsets = list(_subsets(_table(file)))
    if not subsets:
        raise BadRequest(f'"{file.name}" has no [[datasets.subsets]], so there is nothing to train on.')
    notes: list[str] = []
    for subset in subsets:
        _refuse_unknown(subset.options, file.name)
    kept = list(_without_twins(subsets, notes))
    table = _common(kept, notes) | {"concepts": [_concept(subset.options, file.parent) for subset in kept]}
    notes += [f"{name} is not done here." for name in _NOT_DONE if any(name in subset.options for subset in kept)]
    settings = from_json(DataSettings, table | _uncached(table, notes), file.name)
    return Read(settings, tuple(notes))


def with_dataset_file(config: dict[str, Any]) -> tuple[str, ...]:
    """Puts into a training's parsed configuration what the file named by data.dataset_config says; what stands beside it in `data` wins.

    Gives the notes on what is done otherwise here; none where no file is named.
    """
    data = config.get("data")
    if not isinstance(data, dict) or "dataset_config" not in data:
        return ()
    named = data.pop("dataset_config")
    if not isinstance(named, str):
        raise BadRequest("data.dataset_config must be text, the path of a dataset file.")
    found = read_dataset(Path(named).expanduser())
    config["data"] = to_json(found.settings) | data
    return found.notes


def _table(file: Path) -> Options:
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise NotFound(f'There is no file "{file.name}".') from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f'"{file.name}" cannot be read as UTF-8 text.') from error
    if file.suffix.lower() != ".json":
        return read_toml(text, file.name)
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFile(f'"{file.name}" is not JSON: {error}.') from error
    if not isinstance(table, dict):
        raise BadFile(f'"{file.name}" is no table.')
    return table


def _subsets(table: Options) -> Iterator[_Subset]:
    for name in table:
        if name not in ("general", "datasets"):
            raise BadRequest(f"{name} is not known at the top of a dataset file.{near_miss(name, ('general', 'datasets'))}")
    general = _options(table.get("general", {}), "general")
    for number, dataset in enumerate(_list(table.get("datasets", []), "datasets")):
        own = {name: value for name, value in _options(dataset, "datasets").items() if name != "subsets"}
        for subset in _list(dataset.get("subsets", []), "datasets.subsets"):
            yield _Subset({**_DEFAULTS, **general, **own, **_options(subset, "datasets.subsets")}, number)


def _options(value: Any, where: str) -> Options:
    if not isinstance(value, dict):
        raise BadRequest(f"{where} must be a table.")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadRequest(f"{where} must be a list of tables: write [[{where}]].")
    return value


def _refuse_unknown(options: Options, name: str) -> None:
    for option in options:
        if option not in KNOWN:
            raise BadRequest(f'{option} is no option of a dataset in "{name}".{near_miss(option, KNOWN)}')
    if not isinstance(options.get("image_dir"), str):
        raise BadRequest(f'A subset in "{name}" lacks image_dir, the folder of its pictures.')


def _without_twins(subsets: Iterable[_Subset], notes: list[str]) -> Iterator[_Subset]:
    """A folder counts once in a dataset, as in kohya's trainer."""
    seen: set[tuple[int, str, str]] = set()
    for subset in subsets:
        key = subset.dataset, subset.options["image_dir"], str(subset.options.get("metadata_file", ""))
        if key in seen:
            notes.append(f'"{Path(key[1]).name}" stands twice in one dataset; the first counts.')
        else:
            seen.add(key)
            yield subset


def _concept(options: Options, beside: Path) -> dict[str, Any]:
    concept = {ours: options[theirs] for theirs, ours in _CONCEPT.items() if theirs in options}
    for ours in ("masks", "metadata"):
        if ours in concept:
            concept[ours] = _path(concept[ours], beside)
    concept |= {"folder": _path(options["image_dir"], beside), "repeats": _repeats(options)}
    concept |= {"resolution": _resolution(options), "captions": _captions(options), "augmentation": _augmentation(options)}
    if options.get("is_reg"):
        concept["kind"] = "regularisation"
    if "caption_extension" in options:
        concept["extensions"] = [options["caption_extension"]]
    return concept


def _captions(options: Options) -> dict[str, Any]:
    lines = "random" if options.get("enable_wildcard") else "first"
    return {ours: options[theirs] for theirs, ours in _CAPTIONS.items() if theirs in options} | {"lines": lines}


def _augmentation(options: Options) -> dict[str, Any]:
    found = {ours: options[theirs] for theirs, ours in (("flip_aug", "flip"), ("random_crop", "random_crop")) if theirs in options}
    return found | (_COLOUR if options.get("color_aug") else {})


def _common(subsets: list[_Subset], notes: list[str]) -> dict[str, Any]:
    """What is one for all of ours, and may differ between kohya's datasets."""
    common: dict[str, Any] = {"upscale": not _one(subsets, "bucket_no_upscale", notes)}
    for theirs, ours in {**_COMMON, **_ELSEWHERE}.items():
        value = _one(subsets, theirs, notes)
        if value is not None:
            common[ours] = value
    share = _one(subsets, "validation_split", notes)
    common |= {"resolution": _resolution(subsets[0].options)} | ({"validation_share": share} if share is not None else {})
    if not common["buckets"]:
        del common["bucket_min"], common["bucket_max"]
    return common


def _one(subsets: list[_Subset], name: str, notes: list[str]) -> Any:
    """The smallest of different batch sizes, which fits into memory; else the first value."""
    values = [subset.options[name] for subset in subsets if name in subset.options]
    if not values:
        return None
    value = min(values) if name == "batch_size" and all(isinstance(one, int) for one in values) else values[0]
    if any(one != value for one in values) or len(values) < len(subsets):
        notes.append(f"{name} differs between datasets; {value} is taken for all.")
    return value


def _resolution(options: Options) -> Any:
    """The side of a square of the area asked for."""
    asked = options["resolution"]
    if not isinstance(asked, list):
        return asked
    if len(asked) != 2 or not all(type(side) is int and side > 0 for side in asked):
        raise BadRequest(f"resolution is {asked}; it must be one whole number, or two.")
    width, height = asked
    if width != height and not options.get("enable_bucket"):
        raise BadRequest(f"resolution is {width}×{height} without buckets; set enable_bucket, or a square.")
    return width if width == height else int(sqrt(width * height)) // 8 * 8


def _uncached(table: Options, notes: list[str]) -> dict[str, Any]:
    """Kohya's trainer caches when it is told to; here what can be cached is."""
    changed: dict[str, Any] = {}
    if any(concept["augmentation"].keys() - {"flip"} and _uses(concept["augmentation"]) for concept in table["concepts"]):
        changed["cache_latents"] = False
        notes.append("color_aug and random_crop make other latents each time, so they are not cached.")
    names = ("shuffle", "tag_dropout", "wildcards")
    if any(concept["captions"].get(name) for concept in table["concepts"] for name in names):
        changed["cache_text"] = False
        notes.append("Shuffled captions are encoded at each step; captions.variants would let them be cached.")
    return changed


def _uses(augmentation: Options) -> bool:
    return any(value for name, value in augmentation.items() if name != "flip")


def _repeats(options: Options) -> Any:
    """At least 1, as 0 asks us to read the folder's name. What is no number is left for the settings to refuse."""
    value = options.get("num_repeats", 1)
    return max(1, value) if type(value) is int else value


def _path(text: Any, beside: Path) -> Any:
    """As it is written, or beside the file where only there is something."""
    if not isinstance(text, str) or not text or Path(text).expanduser().exists():
        return text
    return str(beside / text) if (beside / text).exists() else text
