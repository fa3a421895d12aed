"""Dataset files of kohya's trainer, as its documentation shows them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib_extension.spec.errors import AtelierError, BadFile, BadRequest, NotFound
from lib_extension.spec.settings import from_json
from lib_extension.spec.training.data import AugmentationSettings, DataSettings
from tests.trainer.data.drawn import folder
from trainer.data.examples import find_examples
from trainer.data.kohya import Read, read_dataset, with_dataset_file

DOCUMENTED = """
[general]
shuffle_caption = true
caption_extension = '.txt'
keep_tokens = 1

# This is a DreamBooth-style dataset
[[datasets]]
resolution = 512
batch_size = 4
keep_tokens = 2

  [[datasets.subsets]]
  image_dir = 'C:\\hoge'
  class_tokens = 'hoge girl'

  [[datasets.subsets]]
  image_dir = 'C:\\fuga'
  class_tokens = 'fuga boy'
  keep_tokens = 3

  [[datasets.subsets]]
  is_reg = true
  image_dir = 'C:\\reg'
  class_tokens = 'human'
  keep_tokens = 1

# This is a fine-tuning dataset
[[datasets]]
resolution = [768, 768]
batch_size = 2

  [[datasets.subsets]]
  image_dir = 'C:\\piyo'
  metadata_file = 'C:\\piyo\\piyo_md.json'
"""


def read(tmp_path: Path, text: str) -> Read:
    file = tmp_path / "dataset.toml"
    file.write_text(text, "utf-8")
    return read_dataset(file)


def subset(tmp_path: Path, subset_options: str, dataset_options: str = "") -> Read:
    return read(tmp_path, f"[[datasets]]\n{dataset_options}\n[[datasets.subsets]]\nimage_dir = 'mugs'\n{subset_options}")


def test_the_documented_example(tmp_path: Path):
    found = read(tmp_path, DOCUMENTED)
    concepts = found.settings.concepts
    assert [one.folder for one in concepts] == ["C:\\hoge", "C:\\fuga", "C:\\reg", "C:\\piyo"]
    assert [one.fallback for one in concepts] == ["hoge girl", "fuga boy", "human", ""]
    assert [one.kind for one in concepts] == ["instance", "instance", "regularisation", "instance"]
    assert [one.resolution for one in concepts] == [512, 512, 512, 768]
    assert [one.captions and one.captions.keep_tokens for one in concepts] == [2, 3, 1, 1]
    assert all(one.captions and one.captions.shuffle and one.captions.lines == "first" for one in concepts)
    assert all(one.extensions == (".txt",) and one.repeats == 1 for one in concepts)
    assert concepts[3].metadata == "C:\\piyo\\piyo_md.json"
    assert found.settings.batch_size == 2
    assert not found.settings.buckets
    assert found.settings.upscale
    assert not found.settings.cache_text
    assert found.notes == (
        "batch_size differs between datasets; 2 is taken for all.",
        "Shuffled captions are encoded at each step; captions.variants would let them be cached.",
    )


def test_buckets(tmp_path: Path):
    options = "enable_bucket = true\nbucket_no_upscale = true\nbucket_reso_steps = 32\nmin_bucket_reso = 320\nmax_bucket_reso = 1536"
    found = subset(tmp_path, "num_repeats = 10", options + "\nresolution = [1024, 768]").settings
    assert (found.buckets, found.upscale, found.bucket_step, found.bucket_min, found.bucket_max) == (True, False, 32, 320, 1536)
    assert found.resolution == found.concepts[0].resolution == 880
    assert found.concepts[0].repeats == 10


def test_captions_and_augmentation(tmp_path: Path):
    options = """
        keep_tokens_separator = "|||"
        secondary_separator = ";;;"
        enable_wildcard = true
        caption_prefix = "best"
        caption_suffix = "end"
        caption_dropout_rate = 0.1
        caption_dropout_every_n_epochs = 3
        caption_tag_dropout_rate = 1
        flip_aug = true
        color_aug = true
        random_crop = true
        alpha_mask = true
        custom_attributes = {a = 1}
    """
    found = subset(tmp_path, options, "validation_split = 0.1")
    captions, augmentation = found.settings.concepts[0].captions, found.settings.concepts[0].augmentation
    assert captions
    assert (captions.keep_separator, captions.joined_separator, captions.prefix, captions.suffix) == ("|||", ";;;", "best", "end")
    assert (captions.lines, captions.wildcards, captions.dropout, captions.drop_every) == ("random", True, 0.1, 3)
    assert captions.tag_dropout == 1
    assert augmentation == AugmentationSettings(flip=True, hue=16, brightness=0.05, random_crop=True)
    assert found.settings.concepts[0].alpha_mask
    assert not found.settings.cache_latents
    assert found.settings.validation_share == 0.1
    assert "custom_attributes is not done here." in found.notes
    found.settings.check()


def test_flipping_alone_stays_cached(tmp_path: Path):
    assert subset(tmp_path, "flip_aug = true").settings.cache_latents


def test_a_folder_that_stands_twice_counts_once(tmp_path: Path):
    found = subset(tmp_path, "[[datasets.subsets]]\nimage_dir = 'mugs'\nnum_repeats = 3")
    assert len(found.settings.concepts) == 1
    assert found.notes == ('"mugs" stands twice in one dataset; the first counts.',)
    both = subset(tmp_path, "[[datasets]]\nresolution = 768\n[[datasets.subsets]]\nimage_dir = 'mugs'")
    assert [one.resolution for one in both.settings.concepts] == [512, 768]


def test_folders_may_lie_beside_the_file(tmp_path: Path):
    folder(tmp_path / "mugs", 2)
    found = subset(tmp_path, "num_repeats = 4", "resolution = 64\nenable_bucket = true\nmin_bucket_reso = 32\nmax_bucket_reso = 128")
    examples = find_examples(found.settings).examples
    assert [(one.caption, one.concept.repeats) for one in examples] == [("a mug, 0", 4), ("a mug, 1", 4)]


def test_json(tmp_path: Path):
    file = tmp_path / "dataset.json"
    file.write_text(json.dumps({"datasets": [{"subsets": [{"image_dir": "mugs", "num_repeats": 2}]}]}))
    assert read_dataset(file).settings.concepts[0].repeats == 2


BAD: dict[str, tuple[str, str]] = {
    "flip_agu = true": ("subset", 'flip_agu is no option .* Did you mean "flip_aug"'),
    "num_repeats = 'x'": ("subset", "repeats"),
    "keep_tokens = -1": ("subset", "keep_tokens is -1; it must be between 0"),
    "resolution = [512, 768]": ("dataset", "512×768 without buckets"),
    "resolution = [512]": ("dataset", "one whole number, or two"),
    "bucket_reso_steps = 7": ("dataset", "bucket_step is 7"),
}


@pytest.mark.parametrize("text", BAD)
def test_mistakes_are_named(tmp_path: Path, text: str):
    where, message = BAD[text]
    with pytest.raises(BadRequest, match=message):
        subset(tmp_path, text if where == "subset" else "", text if where == "dataset" else "")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("[[datasets]]\nresolution = 512", BadRequest, "nothing to train on"),
        ("", BadRequest, "nothing to train on"),
        ("[[datasets]]\n[[datasets.subsets]]\nnum_repeats = 1", BadRequest, "lacks image_dir"),
        ("[generall]\nx = 1", BadRequest, 'Did you mean "general"'),
        ("[datasets]\nx = 1", BadRequest, r"write \[\[datasets\]\]"),
        ("general = 3", BadRequest, "must be a table"),
        ("[[datasets", BadFile, "is not TOML"),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, error: type[AtelierError], message: str):
    with pytest.raises(error, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff"])
def test_bad_json(tmp_path: Path, data: bytes):
    (tmp_path / "dataset.json").write_bytes(data)
    with pytest.raises(BadFile):
        read_dataset(tmp_path / "dataset.json")


def test_no_file(tmp_path: Path):
    with pytest.raises(NotFound, match=r"dataset\.toml"):
        read_dataset(tmp_path / "dataset.toml")


def test_options_of_everything_known(tmp_path: Path):
    """What kohya's trainer takes is not refused."""
    values: dict[str, Any] = {"cache_info": True, "token_warmup_min": 1, "token_warmup_step": 0, "resize_interpolation": "area"}
    found = subset(tmp_path, "\n".join(f"{name} = {json.dumps(value)}" for name, value in values.items()), "validation_seed = 3")
    assert [note.split()[0] for note in found.notes] == ["token_warmup_min", "token_warmup_step", "resize_interpolation", "validation_seed"]


def test_a_configuration_may_name_a_dataset_file(tmp_path: Path):
    settings = subset(tmp_path, "num_repeats = 4\nshuffle_caption = true").settings
    config = {"name": "mug", "data": {"dataset_config": str(tmp_path / "dataset.toml"), "batch_size": 3}}
    assert with_dataset_file(config) == ("Shuffled captions are encoded at each step; captions.variants would let them be cached.",)
    assert from_json(DataSettings, config["data"]) == replace(settings, batch_size=3)
    untouched: dict[str, Any] = {"data": {"batch_size": 3}}
    assert with_dataset_file(untouched) == with_dataset_file({"data": 3}) == ()
    assert untouched == {"data": {"batch_size": 3}}
    with pytest.raises(BadRequest, match="must be text"):
        with_dataset_file({"data": {"dataset_config": 3}})
