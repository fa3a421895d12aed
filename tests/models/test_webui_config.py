"""Is the YAML file beside a checkpoint read as the WebUI reads it, and refused when it is something else?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_extension.models.webui_config import WebuiConfig, beside
from lib_extension.spec.errors import BadFile


def test_reads_what_tensors_do_not_say(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "config.json").write_text(json.dumps({"num_attention_heads": 4}))
    (tmp_path / "model.yaml").write_text(
        "model: {params: {parameterization: v, unet_config: {params: {num_heads: 2, num_head_channels: -1}},"
        "cond_stage_config: {params: {version: clip}}}}"
    )
    assert beside(tmp_path / "model.safetensors") == WebuiConfig("v_prediction", head_count=2, head_width=None, text_heads=4)


def test_nothing_beside_and_nothing_said(tmp_path: Path) -> None:
    assert beside(tmp_path / "model.safetensors") == WebuiConfig()
    (tmp_path / "model.yaml").write_text("model: {params: {unet_config: {params: {}}, cond_stage_config: {target: x}}}")
    assert beside(tmp_path / "model.safetensors") == WebuiConfig()
    (tmp_path / "model.yaml").write_text(
        "model: {params: {unet_config: {params: {}}, cond_stage_config: {params: {version: openai/clip-vit-large-patch14}}}}"
    )
    assert beside(tmp_path / "model.safetensors") == WebuiConfig()


@pytest.mark.parametrize("text", ["- a list", "model: 3", "{", "model: {params: {unet_config: {params: {}}, parameterization: x0}}", ""])
def test_something_else(text: str, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(text)
    with pytest.raises(BadFile, match=r'"model\.yaml", the configuration beside "model\.safetensors"'):
        beside(tmp_path / "model.safetensors")
