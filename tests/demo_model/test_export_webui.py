"""Is what is written for the WebUI the same model, and complete?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from lib_extension.models.checkpoint import Placement, load_checkpoint
from lib_extension.models.controlnet import load_controlnet
from lib_extension.models.library import Library
from tests import tiny
from tests.demo_model.export_webui import main


@pytest.fixture
def webui(tmp_path: Path) -> Path:
    (tmp_path / "webui" / "models").mkdir(parents=True)
    return tmp_path / "webui"


def test_the_same_model_comes_back(webui: Path, tmp_path: Path) -> None:
    model = tiny.tiny_sd1(tmp_path / "mine")
    tiny.tiny_controlnet(model / "controlnet", model)
    main([str(webui), "--model", str(model)])
    library = Library(webui / "models", extra_checkpoints=[model])
    ours = load_checkpoint(library.checkpoint("mine"), Placement())
    theirs = load_checkpoint(library.checkpoint("atelier-mine"), Placement())
    latents, text = torch.randn(1, 4, 8, 8), torch.randn(1, 77, tiny.TEXT_WIDTH)
    tokens = torch.tensor([[49406, 320, 2368, *[49407] * 74]])
    control = load_controlnet(library.controlnet("atelier-mine-controlnet"), theirs)
    with torch.no_grad():
        assert torch.equal(ours.unet(latents, 9, text).sample, theirs.unet(latents, 9, text).sample)
        assert torch.equal(ours.text_encoders[0](tokens).last_hidden_state, theirs.text_encoders[0](tokens).last_hidden_state)
        assert control(latents, 9, text, torch.rand(1, 3, 64, 64)).mid_block_res_sample.abs().max() > 0


def test_yaml_and_clip_folder(webui: Path, tmp_path: Path) -> None:
    main([str(webui), "--model", str(tiny.tiny_sd1(tmp_path / "mine")), "--name", "small"])
    folder = webui / "models" / "Stable-diffusion"
    params = yaml.safe_load((folder / "small.yaml").read_text())["model"]["params"]
    unet = params["unet_config"]["params"]
    assert (unet["model_channels"], unet["channel_mult"], unet["attention_resolutions"], unet["num_heads"]) == (
        32,
        [1, 1, 2, 2],
        [1, 2, 4],
        2,
    )
    assert params["first_stage_config"]["params"]["ddconfig"]["ch_mult"] == [1, 1, 1, 1]
    clip = Path(params["cond_stage_config"]["params"]["version"])
    assert clip == folder.resolve() / "small-clip"
    assert json.loads((clip / "config.json").read_text())["num_attention_heads"] == 2
    assert (clip / "vocab.json").is_file()
    assert all(name.startswith("text_model.") for name in load_file(clip / "model.safetensors"))


def test_refusals(webui: Path, tmp_path: Path) -> None:
    odd = tiny.tiny_sd1(tmp_path / "odd", channels=(64, 96, 128, 128))
    with pytest.raises(SystemExit, match="whole multiples of the first"):
        main([str(webui), "--model", str(odd)])
    assert not list((webui / "models").iterdir())
    with pytest.raises(SystemExit, match="holds no diffusers model"):
        main([str(webui), "--model", str(tmp_path)])
    with pytest.raises(SystemExit, match="is no WebUI"):
        main([str(tmp_path), "--model", str(odd)])
