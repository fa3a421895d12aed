"""Does the file make the same change of weights in training, in the engine, in diffusers and by the WebUI's sums? Is it ever lost?"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import load_file, save_file
from torch import Tensor

from lib_extension.formats.base_model import what_is
from lib_extension.formats.safetensors_header import read_header
from lib_extension.models.checkpoint import Checkpoint, Placement, load_checkpoint
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


# What a kind does with a weight is the same in each family; what modules are called and which there are is not.
CASES = [(network, "sd1") for network in NETWORKS]
CASES += [(network, "sdxl") for network in ("lora", "locon", "lokr", "dora")]
CASES += [(network, "sd2") for network in ("lora", "loha")]
BY_DIFFUSERS = [("lora", "sd1", "kohya"), ("locon", "sd1", "kohya"), ("rslora", "sd1", "kohya")]  # DoRAs in its own naming only, and
# alphas that differ it looks for by names that its attention no longer has (0.42), and takes none of them.
BY_DIFFUSERS += [(network, "sd1", "peft") for network in ("lora", "locon", "rslora", "blocks", "dora outputs")]
BY_DIFFUSERS += [("locon", "sdxl", "kohya"), ("lora", "sdxl", "peft"), ("lora", "sd2", "kohya"), ("locon", "sd2", "peft")]


def folder_of(family: str, request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(f"{family}_folder")


@dataclass(frozen=True)
class Case:
    """A network that was trained, its file, and the engine with that."""

    settings: NetworkSettings
    folder: Path
    trained: Checkpoint
    file: Path
    engine: Checkpoint


@pytest.fixture(scope="module", params=CASES, ids=" ".join)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    network, family = request.param
    folder = folder_of(family, request)
    settings = settings_for(network, folder)
    trained, engine = shaken(load(folder), settings), load(folder)
    file = write_lora(tmp_path_factory.mktemp("loras"), trained, settings, LoraTold("hat"), "fp32")
    apply(engine, [use(file)])
    return Case(settings, folder, trained, file, engine)


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Case], dict[str, Tensor]]:
    """A case's base model under the WebUI's names."""
    files: dict[Path, Path] = {}

    def tensors(case: Case) -> dict[str, Tensor]:
        family = case.engine.family
        if case.folder not in files:
            files[case.folder] = write_checkpoint(case.folder, tmp_path_factory.mktemp("single") / f"{family}.safetensors", family)
        return load_file(files[case.folder])

    return tensors


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


def test_the_engine_changes_weights_as_training_did(case: Case) -> None:
    before = answers(load(case.folder))
    for place, (mine, theirs, base) in enumerate(zip(answers(case.trained), answers(case.engine), before, strict=True)):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)
        if place == 0 or case.settings.text_encoder:
            assert (mine - base).abs().max() > 1e-2


def test_the_webui_changes_weights_as_the_engine_does(case: Case, single: Callable[[Case], dict[str, Tensor]], tmp_path: Path) -> None:
    """Every tensor of a checkpoint under the WebUI's names, changed by its sums, is the engine's."""
    if case.settings.magnitudes == "outputs":
        return  # what the WebUI does not read
    made, skipped = webui_lora.changed(single(case), case.file)
    assert skipped == []
    save_file(made, tmp_path / "changed.safetensors")
    found = Found(tmp_path / "changed.safetensors", "changed", Hashes())
    expected, before = weights(load_checkpoint(found, Placement())), weights(load(case.folder))
    changes = 0
    for name, tensor in weights(case.engine).items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-5, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}")
        changes += not torch.equal(tensor, before[name])
    assert changes == len({name.partition(".")[0] for name in load_file(case.file)})


def test_family_and_kind_are_seen_in_the_file(case: Case) -> None:
    found = what_is(read_header(case.file))
    assert found.family == case.trained.family
    assert found.method in {"lora": ("lora", "locon")}.get(case.settings.kind, (case.settings.kind,))


@pytest.mark.parametrize(("network", "family", "copy"), BY_DIFFUSERS)
def test_diffusers_answers_alike(network: str, family: str, copy: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = folder_of(family, request)
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
