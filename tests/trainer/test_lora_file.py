"""Does the file make the same change of weights in training, in the engine, in diffusers and by the WebUI's sums? Is it ever lost?"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from lib_extension.formats.base_model import what_is
from lib_extension.formats.safetensors_header import read_header
from lib_extension.models.checkpoint import Checkpoint
from lib_extension.models.hashes import Hashes, network_hash
from lib_extension.models.library import Found
from lib_extension.models.lora import LoraUse, apply
from lib_extension.spec.errors import BadFile, BadRequest
from lib_extension.spec.training.network import BlockSettings, NetworkSettings
from tests.ldm_files import write_checkpoint
from tests.trainer import webui_lora
from tests.trainer.models import load, shaken
from trainer.lora_file import LoraTold, copy_lora, write_lora, write_peft
from trainer.networks.network import networks_of

FAMILIES = ("sd1", "sd2", "sdxl")
NETWORKS = {
    "lora": NetworkSettings(kind="lora", rank=4, alpha=3.0, text_encoder=True),
    "locon": NetworkSettings(kind="lora", rank=4, alpha=1.0, conv_rank=3, conv_alpha=2.0, text_encoder=True),
    "rslora": NetworkSettings(kind="lora", rank=9, alpha=3.0, rank_stabilised=True),
    "blocks": NetworkSettings(
        kind="lora", rank=4, alpha=3.0, blocks=(BlockSettings("unet.mid_block.*", 8, 2.0), BlockSettings("*.ff.*", 0))
    ),
    "loha": NetworkSettings(kind="loha", rank=4, alpha=3.0, conv_rank=2, text_encoder=True),
    "loha tucker": NetworkSettings(kind="loha", rank=4, alpha=3.0, conv_rank=2, conv_alpha=1.0, tucker=True),
    "lokr": NetworkSettings(kind="lokr", rank=3, alpha=2.0, conv_rank=2, text_encoder=True),
    "lokr whole": NetworkSettings(kind="lokr", rank=64, alpha=16.0),
    "lokr both": NetworkSettings(kind="lokr", rank=2, alpha=3.0, conv_rank=2, decompose_both=True, tucker=True),
    "dora": NetworkSettings(kind="dora", rank=4, alpha=3.0, conv_rank=2, text_encoder=True),
    "dora outputs": NetworkSettings(kind="dora", rank=4, alpha=3.0, conv_rank=2, magnitudes="outputs"),
}


def folder_of(family: str, request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(f"{family}_folder")


@pytest.fixture(params=FAMILIES)
def folder(request: pytest.FixtureRequest) -> Path:
    return folder_of(request.param, request)


@pytest.fixture(scope="session", params=FAMILIES)
def single(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Tensor]]:
    """A folder, and the same model's tensors under the WebUI's names."""
    folder = folder_of(request.param, request)
    file = write_checkpoint(folder, tmp_path_factory.mktemp("single") / f"{request.param}.safetensors", request.param)
    with safe_open(file, framework="pt") as opened:
        return folder, {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping


def settings_for(name: str, folder: Path) -> NetworkSettings:
    settings = NETWORKS[name]
    both = settings.text_encoder and "sdxl" in folder.name
    return NetworkSettings(**{**vars(settings), "text_encoder_2": both})


def use(file: Path) -> LoraUse:
    return LoraUse(Found(file, file.name, Hashes()), 1.0, 1.0)


def weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    return {f"{n}.{name}": tensor for n, model in networks_of(checkpoint).items() for name, tensor in model.state_dict().items()}


def answers(checkpoint: Checkpoint) -> list[Tensor]:
    """What the networks say to equal questions."""
    chance = torch.Generator().manual_seed(8)
    width = checkpoint.unet.config["cross_attention_dim"]
    added = {"text_embeds": torch.randn(1, 48, generator=chance), "time_ids": torch.ones(1, 6)} if checkpoint.family == "sdxl" else None
    inputs = torch.randn(1, 4, 8, 8, generator=chance), torch.tensor([300]), torch.randn(1, 77, width, generator=chance)
    with torch.no_grad():
        said = [checkpoint.unet(*inputs, added_cond_kwargs=added).sample]
        return said + [encoder(torch.arange(77)[None]).last_hidden_state for encoder in checkpoint.text_encoders]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_engine_changes_weights_as_training_did(network: str, folder: Path, tmp_path: Path) -> None:
    settings = settings_for(network, folder)
    trained, engine = shaken(load(folder), settings), load(folder)
    before = answers(engine)
    apply(engine, [use(write_lora(tmp_path, trained, settings, LoraTold("hat"), "fp32"))])
    for place, (mine, theirs, base) in enumerate(zip(answers(trained), answers(engine), before, strict=True)):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)
        if place == 0 or settings.text_encoder:
            assert (mine - base).abs().max() > 1e-2


@pytest.mark.parametrize("network", [name for name in NETWORKS if name != "dora outputs"])
def test_the_webui_changes_weights_as_the_engine_does(network: str, single: tuple[Path, dict[str, Tensor]], tmp_path: Path) -> None:
    """Every tensor of a checkpoint under the WebUI's names, changed by its sums, is the engine's."""
    folder, base = single
    settings = settings_for(network, folder)
    file = write_lora(tmp_path, shaken(load(folder), settings), settings, LoraTold("hat"), "fp32")
    engine = load(folder)
    apply(engine, [use(file)])
    made, skipped = webui_lora.changed(base, file)
    assert skipped == []
    save_file(made, tmp_path / "changed.safetensors")
    expected, before = weights(load(tmp_path / "changed.safetensors")), weights(load(folder))
    changes = 0
    for name, tensor in weights(engine).items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-5, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}")
        changes += not torch.equal(tensor, before[name])
    assert changes == len({name.partition(".")[0] for name in load_file(file)})


@pytest.mark.parametrize("copy", ["kohya", "peft"])
@pytest.mark.parametrize("network", ["lora", "locon", "rslora", "blocks", "dora outputs"])
def test_diffusers_answers_alike(network: str, copy: str, folder: Path, tmp_path: Path) -> None:
    if copy == "kohya" and network == "dora outputs":
        pytest.skip("diffusers reads DoRAs in its own naming only")
    if copy == "kohya" and network == "blocks":
        pytest.skip("diffusers 0.42 looks for alphas that differ by names that its attention no longer has, and takes none of them")
    settings = settings_for(network, folder)
    trained = shaken(load(folder), settings)
    write = write_lora if copy == "kohya" else write_peft
    file = write(tmp_path, trained, settings, LoraTold("hat"), "fp32")
    kind = StableDiffusionXLPipeline if trained.family == "sdxl" else StableDiffusionPipeline
    pipeline = kind.from_pretrained(folder, local_files_only=True)
    pipeline.load_lora_weights(str(tmp_path), weight_name=file.name, local_files_only=True)
    other = load(folder)
    other.unet = pipeline.unet
    other.text_encoders = (pipeline.text_encoder, *([pipeline.text_encoder_2] if trained.family == "sdxl" else []))
    for mine, theirs in zip(answers(trained), answers(other), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def trained(sd1_folder: Path) -> Checkpoint:
    return shaken(load(sd1_folder), NETWORKS["lora"])


def test_alpha_is_what_makes_the_scale(trained: Checkpoint, tmp_path: Path) -> None:
    tensors = load_file(write_lora(tmp_path, trained, NETWORKS["lora"], LoraTold("hat"), "fp16"))
    alphas = {tensor.item() for name, tensor in tensors.items() if name.endswith(".alpha")}
    assert alphas == {3.0}
    assert {tensor.dtype for name, tensor in tensors.items() if name.endswith(".alpha")} == {torch.float32}
    assert {tensor.dtype for name, tensor in tensors.items() if not name.endswith(".alpha")} == {torch.float16}


def test_what_the_webui_reads_of_it(trained: Checkpoint, tmp_path: Path) -> None:
    told = LoraTold(
        "hat", title="A hat", trigger="red hat", resolution=(512, 640), steps=70, pictures=9, tag_frequency={"1_hat": {"hat": 9, "red": 3}}
    )
    file = write_lora(tmp_path, trained, NETWORKS["lora"], told, "bf16")
    header = read_header(file)
    said = header.metadata
    assert said["ss_base_model_version"] == "sd_v1"
    assert said["ss_v2"] == "False"
    assert said["ss_output_name"] == "hat"
    assert said["ss_resolution"] == "(512, 640)"
    assert said["ss_num_train_images"] == "9"
    assert json.loads(said["ss_tag_frequency"]) == {"1_hat": {"hat": 9, "red": 3}}
    assert said["modelspec.architecture"] == "stable-diffusion-v1/lora"
    assert said["modelspec.trigger_phrase"] == "red hat"
    assert "modelspec.author" not in said
    raw = file.read_bytes()
    assert said["sshs_model_hash"] == network_hash(file) == hashlib.sha256(raw[8 + int.from_bytes(raw[:8], "little") :]).hexdigest()
    assert (what_is(header).family, what_is(header).method) == ("sd1", "lora")


@pytest.mark.parametrize(("kind", "method"), [("loha", "loha"), ("lokr", "lokr"), ("dora", "dora")])
def test_the_kind_is_seen_in_the_file(kind: str, method: str, folder: Path, tmp_path: Path) -> None:
    settings = settings_for(kind, folder)
    checkpoint = shaken(load(folder), settings)
    found = what_is(read_header(write_lora(tmp_path, checkpoint, settings, LoraTold("hat"))))
    assert (found.family, found.method) == (checkpoint.family, method)


def test_no_file_is_ever_overwritten(trained: Checkpoint, tmp_path: Path) -> None:
    files = [write_lora(tmp_path, trained, NETWORKS["lora"], LoraTold("hat")) for _ in range(3)]
    assert [file.name for file in files] == ["hat.safetensors", "hat-2.safetensors", "hat-3.safetensors"]
    assert [read_header(file).metadata["ss_output_name"] for file in files] == ["hat", "hat-2", "hat-3"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(file.name for file in files)


def test_a_copy_is_made_once_and_knows_its_name(trained: Checkpoint, tmp_path: Path) -> None:
    file, folder = write_lora(tmp_path, trained, NETWORKS["lora"], LoraTold("hat")), tmp_path / "Lora"
    assert copy_lora(file, folder) == copy_lora(file, folder) == folder / "hat.safetensors"
    (folder / "hat.safetensors").write_bytes(write_lora(tmp_path, trained, NETWORKS["lora"], LoraTold("cap"), "fp32").read_bytes())
    other = copy_lora(file, folder)
    assert (other.name, read_header(other).metadata["ss_output_name"]) == ("hat-2.safetensors", "hat-2")
    assert network_hash(other) == network_hash(file)


def test_a_name_taken_meanwhile_is_left_alone(trained: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody writes the same name between the look and the renaming, on a file system with links and on one without."""
    link = os.link

    def taken_first(aside: Path, path: Path) -> None:
        if not path.exists() and path.name == "hat.safetensors":
            path.write_bytes(b"theirs")
        link(aside, path)

    monkeypatch.setattr(os, "link", taken_first)
    assert write_lora(tmp_path, trained, NETWORKS["lora"], LoraTold("hat")).name == "hat-2.safetensors"

    def no_links(aside: Path, path: Path) -> None:
        raise OSError("links are not supported")

    monkeypatch.setattr(os, "link", no_links)
    third = write_lora(tmp_path, trained, NETWORKS["lora"], LoraTold("hat"))
    assert third.name == "hat-3.safetensors"
    assert load_file(third)
    assert (tmp_path / "hat.safetensors").read_bytes() == b"theirs"
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("name", ["../hat", "a/b", "a\\b", "", ".hat", "a:b", "<hat>"])
def test_names_that_lead_elsewhere_are_refused(name: str, trained: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="name"):
        write_lora(tmp_path, trained, NETWORKS["lora"], LoraTold(name))
    assert not list(tmp_path.iterdir())


def test_values_beyond_half_precision_are_told(sd1_folder: Path, tmp_path: Path) -> None:
    settings = NETWORKS["lora"]
    large = shaken(load(sd1_folder), settings, strength=1e6)
    with pytest.raises(BadFile, match="fp16 cannot"):
        write_lora(tmp_path, large, settings, LoraTold("hat"), "fp16")
    assert not list(tmp_path.iterdir())
    assert write_lora(tmp_path, large, settings, LoraTold("hat"), "bf16").is_file()


@pytest.mark.parametrize("network", ["loha", "lokr", "dora"])
def test_a_copy_that_diffusers_could_not_read_is_refused(network: str, trained: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"output\.peft_copy"):
        write_peft(tmp_path, trained, NETWORKS[network], LoraTold("hat"))
