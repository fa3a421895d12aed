"""Do all layouts of a checkpoint load to the same networks, offline, and is everything else refused in plain words?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lib_extension.models.checkpoint import Checkpoint, Placement, load_checkpoint
from lib_extension.models.hashes import Hashes
from lib_extension.models.library import Found
from lib_extension.models.weights import is_left_out, read_own
from lib_extension.spec.errors import BadFile, BadRequest
from tests import ldm_files, tiny

YAML = """model:
  params:
    parameterization: {parameterization}
    unet_config:
      params: {{num_heads: {heads}}}
    cond_stage_config:
      params: {{version: {clip}}}
"""


def found(path: Path) -> Found:
    return Found(path, path.name, Hashes())


def loaded(path: Path, placement: Placement | None = None) -> Checkpoint:
    return load_checkpoint(found(path), placement or Placement())


@torch.no_grad()
def unet_answer(checkpoint: Checkpoint) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    width = checkpoint.unet.config["cross_attention_dim"]
    latents, text = torch.randn(2, 4, 8, 8, generator=generator), torch.randn(2, 77, width, generator=generator)
    added = {"text_embeds": torch.ones(2, 48), "time_ids": torch.full((2, 6), 64.0)} if checkpoint.family == "sdxl" else None
    return checkpoint.unet(latents, torch.tensor([700, 20]), text, added_cond_kwargs=added).sample


@torch.no_grad()
def text_answer(checkpoint: Checkpoint) -> list[torch.Tensor]:
    tokens = [tokenizer(["a cat, (sitting)"], padding="max_length", return_tensors="pt") for tokenizer in checkpoint.tokenizers]
    return [encoder(ids.input_ids).last_hidden_state for encoder, ids in zip(checkpoint.text_encoders, tokens, strict=True)]


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_folder_and_single_file_are_the_same_model(family: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(f"{family}_folder")
    file = ldm_files.write_checkpoint(folder, tmp_path / "model.safetensors", family)
    if family == "sd1":  # whose heads no shape tells
        shutil.copytree(folder / "text_encoder", tmp_path / "clip")
        (tmp_path / "model.yaml").write_text(YAML.format(heads=tiny.HEADS, clip="clip", parameterization="eps"))
    one, other = loaded(folder), loaded(file)
    assert one.family == other.family == family
    assert torch.equal(unet_answer(one), unet_answer(other))
    for state, other_state in zip(text_answer(one), text_answer(other), strict=True):
        assert torch.equal(state, other_state)
    picture = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        distributions = [checkpoint.vae.encode(picture, return_dict=False)[0] for checkpoint in (one, other)]
    assert torch.equal(distributions[0].mean, distributions[1].mean)
    assert one.vae.config["scaling_factor"] == other.vae.config["scaling_factor"] == (0.13025 if family == "sdxl" else 0.18215)
    assert [tokenizer.pad_token_id for tokenizer in other.tokenizers] == {"sd1": [49407], "sd2": [0], "sdxl": [49407, 0]}[family]


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
@pytest.mark.parametrize("single_file", [False, True])
def test_networks_that_are_left_out_have_their_shapes_only(
    family: str, single_file: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path: Path = request.getfixturevalue(f"{family}_folder")
    path = ldm_files.write_checkpoint(path, tmp_path / "model.safetensors", family) if single_file else path
    whole, part = loaded(path), load_checkpoint(found(path), Placement(), leave_out=("vae", "text"))
    assert torch.equal(unet_answer(whole), unet_answer(part))
    assert part.tokenizers == ()
    for network, shapes in zip((whole.vae, *whole.text_encoders), (part.vae, *part.text_encoders), strict=True):
        assert is_left_out(shapes)
        assert not is_left_out(network)
        assert {name: t.shape for name, t in network.state_dict().items()} == {name: t.shape for name, t in shapes.state_dict().items()}
    encoders = load_checkpoint(found(path), Placement(), leave_out=("unet",))
    assert is_left_out(encoders.unet)
    assert all(torch.equal(one, other) for one, other in zip(text_answer(whole), text_answer(encoders), strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_tensors_are_read_into_memory_of_their_own(dtype: torch.dtype, tmp_path: Path) -> None:
    tensors = {"a": torch.randn(3, 5).to(dtype), "b": torch.tensor(2.0, dtype=dtype), "c": torch.empty(0, 4, dtype=dtype)}
    save_file(tensors, tmp_path / "x.safetensors")
    read = read_own(tmp_path / "x.safetensors")
    (tmp_path / "x.safetensors").write_bytes(b"")
    assert read.keys() == tensors.keys()
    assert all(torch.equal(read[name], tensors[name]) and read[name].dtype == dtype for name in tensors)


def test_other_widths_load(tmp_path: Path) -> None:
    folder = tiny.tiny_sd1(tmp_path / "wide", channels=(64, 96, 128, 128), text_width=64)
    file = ldm_files.write_checkpoint(folder, tmp_path / "wide.safetensors", "sd1")
    checkpoint = loaded(file)
    assert checkpoint.family == "sd1"
    assert tuple(checkpoint.unet.config["block_out_channels"]) == (64, 96, 128, 128)
    assert tuple(checkpoint.unet.config["attention_head_dim"]) == (8, 8, 8, 8)  # SD1's, without a YAML file to say otherwise


def test_inpainting_model_keeps_its_nine_channels(tmp_path: Path) -> None:
    folder = tiny.tiny_sd1(tmp_path / "inpaint", in_channels=9)
    file = ldm_files.write_checkpoint(folder, tmp_path / "inpaint.safetensors", "sd1")
    assert loaded(file).unet.config["in_channels"] == loaded(folder).unet.config["in_channels"] == 9


def test_prediction_type_of_sd2(sd2_folder: Path, tmp_path: Path) -> None:
    assert loaded(sd2_folder).prediction_type == "v_prediction"
    stated = ldm_files.write_checkpoint(sd2_folder, tmp_path / "a.safetensors", "sd2", metadata={"modelspec.prediction_type": "v"})
    assert loaded(stated).prediction_type == "v_prediction"
    silent = ldm_files.write_checkpoint(sd2_folder, tmp_path / "b.safetensors", "sd2")
    (tmp_path / "b.yaml").write_text(YAML.format(parameterization="v", heads="null", clip="null"))
    assert loaded(silent).prediction_type == "v_prediction"


def test_prediction_type_of_sd2_is_tried_where_nothing_states_it(sd2_folder: Path, tmp_path: Path) -> None:
    """The answer to a grey picture at the last step: near the input from one kind, far below from the other."""
    file = ldm_files.write_checkpoint(sd2_folder, tmp_path / "c.safetensors", "sd2")
    assert loaded(file).prediction_type == "epsilon"  # random weights answer with about 0
    tensors = load_file(file)
    tensors["model.diffusion_model.out.2.bias"] -= 3
    save_file(tensors, file)
    assert loaded(file).prediction_type == "v_prediction"


def test_bf16_keeps_all_networks_in_bf16_and_fp16_spares_the_vae(sd1_folder: Path) -> None:
    half = loaded(sd1_folder, Placement(dtype=torch.bfloat16))
    assert {half.unet.dtype, half.vae.dtype, half.text_encoders[0].dtype} == {torch.bfloat16}
    half = loaded(sd1_folder, Placement(dtype=torch.float16))
    assert (half.unet.dtype, half.vae.dtype) == (torch.float16, torch.float32)


def test_names_without_text_model_load_too(sd1_folder: Path, tmp_path: Path) -> None:
    file = ldm_files.write_checkpoint(sd1_folder, tmp_path / "a.safetensors", "sd1")
    tensors = {name.replace("transformer.text_model.", "transformer."): tensor for name, tensor in load_file(file).items()}
    save_file(tensors, tmp_path / "b.safetensors")
    one, other = loaded(file), loaded(tmp_path / "b.safetensors")
    assert torch.equal(text_answer(one)[0], text_answer(other)[0])


@pytest.mark.parametrize("ending", ["ckpt", "pt", "pth", "bin"])
def test_pickles_are_refused_before_they_are_opened(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"model.{ending}").write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    with pytest.raises(BadFile, match=rf'"model\.{ending}" is a pickle.*Convert it to \.safetensors'):
        loaded(tmp_path / f"model.{ending}")


def test_incomplete_file_says_what_is_missing(sd1_folder: Path, tmp_path: Path) -> None:
    file = ldm_files.write_checkpoint(sd1_folder, tmp_path / "model.safetensors", "sd1")
    tensors = load_file(file)
    cut = {name: tensor for name, tensor in tensors.items() if not name.startswith("first_stage_model.")}
    save_file(cut, file)
    with pytest.raises(BadFile, match=r'The VAE of "model\.safetensors" is missing'):
        loaded(file)
    save_file({name: tensor for name, tensor in tensors.items() if name != "model.diffusion_model.out.2.bias"}, file)
    with pytest.raises(BadFile, match=r"is incomplete: 1 of \d+ tensors are missing, the first is conv_out\.bias"):
        loaded(file)
    odd = tensors | {"model.diffusion_model.out.2.weight": torch.zeros(4, 16, 3, 3)}
    save_file(odd, file)
    with pytest.raises(BadFile, match=r"conv_out\.weight is 4×16×3×3, but 4×32×3×3 was expected"):
        loaded(file)


def test_what_is_no_checkpoint_is_refused(sd1_folder: Path, tmp_path: Path) -> None:
    lora = tiny.tiny_lora(tmp_path / "lora.safetensors")
    with pytest.raises(BadFile, match=r'"lora\.safetensors" holds'):
        loaded(lora)
    (tmp_path / "lies.safetensors").write_bytes((10**12).to_bytes(8, "little") + b"{}")
    with pytest.raises(BadFile):
        loaded(tmp_path / "lies.safetensors")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "model_index.json").write_text("{}")
    with pytest.raises(BadFile, match="holds no U-Net"):
        loaded(tmp_path / "empty")
    shutil.copytree(sd1_folder, tmp_path / "broken")
    (tmp_path / "broken" / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"not weights")
    with pytest.raises(BadFile, match=r'The "unet" of the model folder "broken" cannot be loaded'):
        loaded(tmp_path / "broken")


def test_attention_is_checked_first(sd1_folder: Path) -> None:
    with pytest.raises(BadRequest, match="xformers attention runs on CUDA devices only"):
        loaded(sd1_folder, Placement(attention="xformers"))
    with pytest.raises(BadRequest, match='no attention "flash"'):
        loaded(sd1_folder, Placement(attention="flash"))
