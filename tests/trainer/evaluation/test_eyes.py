"""Does a tagger's or a CLIP's look at drawn pictures become figures, and is what needs none told without one?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPModel, CLIPVisionConfig, CLIPVisionModelWithProjection

from lib_extension.models.single_file import bundled_tokenizer
from lib_extension.spec.errors import BadFile
from tests.models.clip_files import BOTH, SIDE, WIDTH, told_by_clip, write_clip
from trainer.evaluation.eyes import Eyes, small


def test_without_a_tagger_only_small_pictures_compare() -> None:
    pictures = [Image.new("RGB", (64, 48), (250, 10, 10)), Image.linear_gradient("L")]
    assert Eyes("").agreement(["a", "b"], pictures) is None
    assert Eyes("").vectors(pictures) is None
    assert small(pictures).shape == (2, 768)
    assert small(pictures).mean(1) == pytest.approx([0, 0], abs=1e-3)


def test_the_demo_tagger_gives_vectors_and_a_share() -> None:
    eyes, picture = Eyes("demo"), Image.new("RGB", (64, 64), (250, 10, 10))
    vectors = eyes.vectors([picture, picture])
    assert vectors is not None
    assert np.array_equal(vectors[0], vectors[1])
    assert eyes.agreement(["zzz"], [picture]) is None, "no word that it knows"


def test_a_clip_sees_pictures_and_prompts_as_the_whole_network_does(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "clip")
    pictures = [Image.new("RGB", (64, 48), (250, 10, 10)), Image.linear_gradient("L").convert("RGB")]
    eyes, prompts = Eyes(str(folder)), ["a red wall", "a gradient, " * 60]
    own = np.stack([told_by_clip(folder, picture) for picture in pictures])
    vectors = eyes.vectors(pictures)
    assert vectors is not None
    assert vectors / np.linalg.norm(vectors, axis=1, keepdims=True) == pytest.approx(own, abs=1e-5)
    tokens = [bundled_tokenizer("!")(prompt, truncation=True, return_tensors="pt")["input_ids"] for prompt in prompts]
    model: Any = CLIPModel.from_pretrained(folder).eval()
    with torch.no_grad():
        said = [model.text_projection(model.text_model(input_ids=one).pooler_output)[0].numpy() for one in tokens]
    cosines = [float(text @ picture / np.linalg.norm(text)) for text, picture in zip(said, own, strict=True)]
    assert max(cosines) > 0.01, "else there is nothing to compare"
    assert eyes.agreement(prompts, pictures) == pytest.approx(np.mean([min(1, max(0, 2.5 * cosine)) for cosine in cosines]), abs=1e-5)


def test_a_clip_without_its_half_for_texts_is_told(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "both")
    sizes = {**BOTH, "image_size": SIDE, "patch_size": 16, "projection_dim": WIDTH}
    CLIPVisionModelWithProjection(CLIPVisionConfig(**sizes)).save_pretrained(tmp_path / "clip")
    (folder / "preprocessor_config.json").rename(tmp_path / "clip" / "preprocessor_config.json")
    with pytest.raises(BadFile, match="clip/ cannot be read as CLIP"):
        Eyes(str(tmp_path / "clip"))
