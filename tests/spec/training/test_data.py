from __future__ import annotations

from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, meta

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import from_json, json_schema, to_json
from lib_extension.spec.training.data import AugmentationSettings, CaptionSettings, ConceptSettings, DataSettings

MUGS = {"folder": "mugs"}


def test_what_is_not_said_has_a_default():
    asked = from_json(DataSettings, {"concepts": [MUGS]})
    assert asked == DataSettings(concepts=(ConceptSettings(folder="mugs"),))
    assert from_json(DataSettings, to_json(asked)) == asked


def test_the_schema_takes_what_is_taken():
    schema = json_schema(DataSettings)
    assert meta.is_valid(schema)
    assert Draft202012Validator(schema).is_valid(to_json(DataSettings(concepts=(ConceptSettings(folder="mugs"),))))


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "names no folder of pictures"),
    ({"concepts": [{**MUGS, "kind": "regularisation"}]}, "of the kind instance"),
    ({"concepts": [{"folder": " "}]}, "folder is empty"),
    ({"concepts": [{**MUGS, "repeat": 3}]}, r'concepts\[0\]\.repeat is not known\. Did you mean "repeats"'),
    ({"concepts": [MUGS], "resolution": 500}, "resolution is 500; it must be a multiple of 8"),
    ({"concepts": [MUGS], "resolution": 32}, "resolution is 32; it must be a multiple of 8, and at least 64"),
    ({"concepts": [{**MUGS, "resolution": 500}]}, "resolution is 500; it must be a multiple of 8"),
    ({"concepts": [MUGS], "bucket_min": 600}, "sides from 600 to 1024; the resolution of 512"),
    ({"concepts": [MUGS], "bucket_max": 256}, "sides from 256 to 256; the resolution of 512"),
    ({"concepts": [MUGS], "resolution": 64, "bucket_max": 64, "bucket_step": 128}, "more than the longest side of 64"),
    ({"concepts": [MUGS], "augmentation": {"hue": 5, "random_crop": True}}, 'hue and random_crop of "mugs".*cache_latents to false'),
    ({"concepts": [{**MUGS, "augmentation": {"contrast": 0.1}}]}, 'contrast of "mugs"'),
    ({"concepts": [MUGS], "captions": {"shuffle": True}}, r"Set captions\.variants"),
    ({"concepts": [MUGS], "captions": {"wildcards": True}}, r"cache_text to false"),
]


@pytest.mark.parametrize(("asked", "message"), BAD, ids=[message for _, message in BAD])
def test_what_contradicts_itself_is_refused(asked: dict[str, Any], message: str):
    with pytest.raises(BadRequest, match=message):
        from_json(DataSettings, asked)


GOOD: list[dict[str, Any]] = [
    {"augmentation": {"flip": True}},
    {"augmentation": {"hue": 5}, "cache_latents": False},
    {"captions": {"shuffle": True}, "cache_text": False},
    {"captions": {"shuffle": True, "variants": 8}},
    {"captions": {"dropout": 0.1, "keep_tokens": 2}},
    {"buckets": False, "bucket_min": 600},
]


@pytest.mark.parametrize("asked", GOOD, ids=str)
def test_what_goes_together_is_taken(asked: dict[str, Any]):
    from_json(DataSettings, {"concepts": [MUGS], **asked})


def test_a_concept_may_have_its_own():
    own = ConceptSettings(folder="mugs", captions=CaptionSettings(shuffle=True), augmentation=AugmentationSettings(flip=True))
    settings = DataSettings(concepts=(own,), captions=CaptionSettings(dropout=0.5))
    assert settings.captions_of(own).shuffle
    assert settings.augmentation_of(own).flip
    assert settings.captions_of(ConceptSettings(folder="others")).dropout == 0.5


def test_pictures_for_validation_stay_as_they_are():
    apart = ConceptSettings(folder="mugs", kind="validation")
    assert DataSettings(augmentation=AugmentationSettings(flip=True)).augmentation_of(apart) == AugmentationSettings()


def test_sides_follow_the_resolution():
    assert DataSettings().sides(512) == (256, 1024)
    assert DataSettings(bucket_min=320, bucket_max=960).sides(512) == (320, 960)
