"""Is a merged LoRA what its sources are together, in the engine, in diffusers and in the WebUI's arithmetic?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from lib_extension.models.hashes import Hashes, network_hash
from lib_extension.spec.errors import BadFile, BadRequest, Mismatch
from tests import tiny
from tests.trainer.merging.loras import MODULES, Told, lora, parts, webui_updown, webui_weights
from tests.trainer.merging.test_bake import assert_alike, state
from trainer.merging import merge
from trainer.merging.factors import Factors
from trainer.merging.lora_writer import module_of


def merged(folder: Path, *arguments: str) -> Path:
    told = Told()
    assert merge.run([*arguments, "--output.folder", str(folder)], told) == 0
    return told.result()


def test_concatenation_is_applying_both(sd1_file: Path, tmp_path: Path) -> None:
    one, two = lora(tmp_path / "one.safetensors"), lora(tmp_path / "two.safetensors", "mixed", rank=3, alpha=6, seed=8)
    both = merged(tmp_path / "out", f"{one}:0.7", f"{two}:-0.4")
    assert_alike(webui_weights(sd1_file, [(both, 1.0)]), webui_weights(sd1_file, [(one, 0.7), (two, -0.4)]))
    assert_alike(state(sd1_file, ((both, 1.0),)), state(sd1_file, ((one, 0.7), (two, -0.4))))
    assert_alike(state(sd1_file, ((both, 0.5),)), state(sd1_file, ((one, 0.35), (two, -0.2))))


# peft tells of what is wanted here: two adapters at once.
@pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning")
def test_concatenation_in_diffusers(sd1_folder: Path, tmp_path: Path) -> None:
    """Its own layers, with both sources active, answer as with the one file."""
    one = tiny.tiny_lora(tmp_path / "one.safetensors", strength=0.1)
    two = tiny.tiny_lora(tmp_path / "two.safetensors", rank=3, seed=5, strength=0.1)
    both = merged(tmp_path / "out", f"{one}:0.7", f"{two}:0.4")

    def answer(files: list[Path], weights: list[float]) -> torch.Tensor:
        pipeline = StableDiffusionPipeline.from_pretrained(sd1_folder, safety_checker=None, local_files_only=True)
        for number, file in enumerate(files):
            pipeline.load_lora_weights(str(file), adapter_name=f"n{number}")
        pipeline.set_adapters([f"n{number}" for number in range(len(files))], weights)
        generator = torch.Generator().manual_seed(1)
        noise, text = torch.randn(1, 4, 8, 8, generator=generator), torch.randn(1, 5, 32, generator=generator)
        with torch.no_grad():
            picture = pipeline.unet(noise, torch.tensor([400]), text).sample
            words = pipeline.text_encoder(torch.arange(5)[None]).last_hidden_state
        return torch.cat([picture.flatten(), words.flatten()])

    together = answer([one, two], [0.7, 0.4])
    torch.testing.assert_close(answer([both], [1.0]), together, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(answer([one], [1.0]), together, atol=1e-2)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["lora", "loha", "lokr", "full"]),
            st.integers(1, 6),
            st.floats(0.5, 16),
            st.floats(-2, 2).filter(lambda weight: abs(weight) > 0.01),
            st.sampled_from([torch.float32, torch.float16, torch.bfloat16]),
        ),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([(32, 16), (24, 40, 3, 3), (16, 16, 1, 1)]),
)
def test_any_types_ranks_and_alphas_concatenate(
    tmp_path: Path, sources: list[tuple[str, int, float, float, torch.dtype]], shape: tuple[int, ...]
) -> None:
    place = "mid_block_resnets_0_conv1" if shape[2:] == (3, 3) else "mid_block_attentions_0_proj_in"
    total = torch.zeros(shape)
    arguments = []
    for number, (kind, rank, alpha, weight, dtype) in enumerate(sources):
        of = parts(kind, shape, rank, alpha, torch.Generator().manual_seed(number))
        of = {name: tensor.to(dtype).contiguous() for name, tensor in of.items()}
        save_file({f"lora_unet_{place}.{name}": tensor for name, tensor in of.items()}, tmp_path / f"{number}.safetensors")
        total += weight * webui_updown({name: tensor.float() for name, tensor in of.items()}, torch.zeros(shape))
        arguments.append(f"{tmp_path / str(number)}.safetensors:{weight:.10f}")
    found = load_file(merged(tmp_path / "out", *arguments, "--output.precision", "fp32"))
    change = webui_updown({name.partition(".")[2]: tensor for name, tensor in found.items()}, torch.zeros(shape))
    torch.testing.assert_close(change, total, rtol=1e-4, atol=1e-4 * float(total.abs().max()) + 1e-6)


def test_alpha_is_the_rank_in_any_type() -> None:
    module = module_of("unet.x", Factors(torch.ones(300, 289), torch.ones(289, 300)), torch.bfloat16)
    assert module.parts["alpha"] == module.rank == 289
    assert module.parts["up"].dtype == torch.bfloat16


@pytest.mark.parametrize("alpha", [0.25, 1.0, 1024.0])
def test_half_precision_loses_little_whatever_alpha_is(alpha: float, sd1_file: Path, tmp_path: Path) -> None:
    """Factors are as trained: up much smaller than down, and fp16 itself."""
    file = lora(tmp_path / "one.safetensors", rank=128, alpha=alpha)
    save_file({name: (tensor * 1e-3 if "up" in name else tensor).half() for name, tensor in load_file(file).items()}, file)
    found = merged(tmp_path / "out", f"{file}:0.8")
    base, wanted, made = load_file(sd1_file), webui_weights(sd1_file, [(file, 0.8)]), webui_weights(sd1_file, [(found, 1.0)])
    lost = sum(float((made[name] - wanted[name]).double().square().sum()) for name in base)
    assert lost**0.5 < 2e-3 * sum(float((wanted[name] - base[name]).double().square().sum()) for name in base) ** 0.5


def test_one_rank_for_all_is_the_best_one(sd1_file: Path, tmp_path: Path) -> None:
    one, two = lora(tmp_path / "one.safetensors"), lora(tmp_path / "two.safetensors", rank=6, seed=8)
    told = Told()
    merge.run([str(one), str(two), "--method", "svd", "--method.ranks.rank", "5", "--output.folder", str(tmp_path)], told)
    base, wanted = load_file(sd1_file), webui_weights(sd1_file, [(one, 1.0), (two, 1.0)])
    found = webui_weights(sd1_file, [(told.result(), 1.0)])
    missed = energy = best = 0.0
    for name in base:
        change = (wanted[name] - base[name]).double()
        if change.any():
            s = torch.linalg.svdvals(change.flatten(1))
            best += float(s[5:].square().sum())
            energy += float(s.square().sum())
            missed += float((found[name] - wanted[name]).double().square().sum())
    assert missed == pytest.approx(best, rel=1e-3)
    assert told.error() == pytest.approx((best / energy) ** 0.5, rel=1e-3)
    assert {t.shape[0] for n, t in load_file(told.result()).items() if n.endswith("down.weight")} == {5}


@pytest.mark.parametrize("method", ["linear", "ties", "dare", "prune"])
def test_other_methods_make_files_that_load(method: str, sd1_file: Path, tmp_path: Path) -> None:
    one, two = lora(tmp_path / "one.safetensors"), lora(tmp_path / "two.safetensors", rank=6, seed=8)
    found = merged(tmp_path / "out", f"{one}:0.6", f"{two}:0.4", "--method", method)
    changed = state(sd1_file, ((found, 1.0),))
    assert len(MODULES) == sum(not torch.equal(changed[name], tensor) for name, tensor in state(sd1_file).items())


def test_other_spellings_meet(sd1_file: Path, tmp_path: Path) -> None:
    one, two = tiny.tiny_lora(tmp_path / "one.safetensors"), tiny.tiny_lora(tmp_path / "two.safetensors", naming="peft", seed=8)
    both = merged(tmp_path / "out", str(one), str(two))
    assert len(load_file(both)) == 3 * len(tiny.LORA_MODULES)
    assert_alike(state(sd1_file, ((both, 1.0),)), state(sd1_file, ((one, 1.0), (two, 1.0))))


def test_a_dora_needs_its_checkpoint(sd1_file: Path, tmp_path: Path) -> None:
    one, dora = lora(tmp_path / "one.safetensors"), lora(tmp_path / "dora.safetensors", "dora", seed=4)
    with pytest.raises(BadRequest, match="Name the one that it was trained on"):
        merged(tmp_path / "out", str(one), str(dora), "--method", "svd")
    with pytest.raises(BadRequest, match="has no low rank"):
        merged(tmp_path / "out", str(one), str(dora), "--base", str(sd1_file))
    asked = [f"{one}:0.5", f"{dora}:0.7", "--base", str(sd1_file), "--method", "svd", "--method.ranks.rank", "600"]
    found = merged(tmp_path / "out", *asked)
    base, alone = load_file(sd1_file), webui_weights(sd1_file, [(dora, 0.7)])
    expected = webui_weights(sd1_file, [(one, 0.5)])
    assert_alike(webui_weights(sd1_file, [(found, 1.0)]), {n: expected[n] + alone[n] - base[n] for n in base}, atol=1e-4)


def test_metadata(tmp_path: Path) -> None:
    tags = {"ss_tag_frequency": json.dumps({"10_cat": {"cat": 10}}), "ss_sd_model_name": "sd15.safetensors"}
    one, two = lora(tmp_path / "one.safetensors"), lora(tmp_path / "two.safetensors", seed=8)
    save_file(load_file(one), one, tags)
    found = merged(tmp_path / "out", f"{one}:0.5", f"{two}:0.25", "--output.name", "both")
    with safe_open(found, "pt") as opened:
        metadata = opened.metadata()
    assert metadata["sshs_model_hash"] == network_hash(found)
    assert metadata["ss_network_dim"] == "8"
    assert metadata["ss_output_name"] == "both"
    assert json.loads(metadata["ss_tag_frequency"]) == {"one/10_cat": {"cat": 10}}
    told = json.loads(metadata["atelier.merge"])
    assert [(s["name"], s["weight"], s["sha256"]) for s in told["sources"]] == [
        ("one", 0.5, Hashes().sha256(one)),
        ("two", 0.25, Hashes().sha256(two)),
    ]
    assert told["settings"]["method"] == {"kind": "concatenate"}
    assert str(tmp_path) not in json.dumps(metadata)


def test_a_name_is_never_taken_from_another(tmp_path: Path) -> None:
    one = lora(tmp_path / "one.safetensors")
    before = one.read_bytes()
    names = [merged(tmp_path, str(one), "--output.name", "one").name for _ in range(2)]
    assert names == ["one-2.safetensors", "one-3.safetensors"]
    assert one.read_bytes() == before


@pytest.mark.parametrize("letter", ["a", "ä", "猫", "🐈"])
def test_long_names_are_cut(letter: str, tmp_path: Path) -> None:
    """File systems take 255 bytes."""
    one = lora(tmp_path / f"{letter * (240 // len(letter.encode()))}.safetensors")
    paths = [merged(tmp_path / "out", str(one), str(one)) for _ in range(2)]
    paths += [merged(tmp_path / "out", str(one), "--output.name", letter * 100)]
    assert all(path.is_file() and path.stem.startswith(letter * 40) for path in paths)
    assert paths[1].stem == f"{paths[0].stem}-2"


def test_refusals(tmp_path: Path) -> None:
    one = lora(tmp_path / "one.safetensors")
    down, up = torch.randn(2, 2048), torch.randn(640, 2)
    xl = "lora_unet_input_blocks_4_1_transformer_blocks_1_attn2_to_k"
    save_file({f"{xl}.lora_down.weight": down, f"{xl}.lora_up.weight": up}, tmp_path / "xl.safetensors")
    sd1 = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    save_file({f"{sd1}.lora_down.weight": down[:, :768].contiguous(), f"{sd1}.lora_up.weight": up}, tmp_path / "sd1.safetensors")
    with pytest.raises(Mismatch, match=r'"xl" is made for sdxl, and the LoRA "sd1" for sd1'):
        merged(tmp_path / "out", str(tmp_path / "sd1.safetensors"), str(tmp_path / "xl.safetensors"))
    with pytest.raises(BadRequest, match="All weights are 0"):
        merged(tmp_path / "out", f"{one}:0")
    with pytest.raises(BadRequest, match=r"method.*near|one of|kind"):
        merged(tmp_path / "out", str(one), "--method", "tiess")
    tensors = load_file(one)
    name = next(name for name in tensors if name.endswith("lora_up.weight"))
    save_file({**tensors, name: torch.full_like(tensors[name], float("nan"))}, tmp_path / "nan.safetensors")
    with pytest.raises(BadFile, match=f'"nan" is damaged: {name}'):
        merged(tmp_path / "out", str(tmp_path / "nan.safetensors"))
    with pytest.raises(BadFile, match="precision bf16"):
        merged(tmp_path / "out", f"{lora(tmp_path / 'half.safetensors', alpha=1e12)}:10", "--output.precision", "fp16")
