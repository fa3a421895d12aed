"""Does an inspection say what is in the file?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from tests.trainer.merging.loras import Told, lora, webui_weights
from trainer.merging import inspect
from trainer.merging.inspect import inspected


@pytest.mark.parametrize(("kind", "type"), [("lora", "locon"), ("loha", "loha"), ("lokr", "lokr"), ("full", "full")])
def test_strengths_are_those_of_the_changes(kind: str, type: str, sd1_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors", kind)
    contents = inspected(file)
    assert (contents.kind, contents.type, contents.naming) == ("lora", type, "kohya")
    base, changed = load_file(sd1_file), webui_weights(sd1_file, [(file, 1.0)])
    places = {
        "BASE": "cond_stage",
        "IN01": "input_blocks.1.",
        "IN04": "input_blocks.4.",
        "M00": "middle_block",
        "OUT11": "output_blocks.11.",
    }
    assert contents.blocks.keys() == places.keys()
    for block, place in places.items():
        energy = sum(float((changed[name] - base[name]).square().sum()) for name in base if place in name)
        assert contents.blocks[block].strength == pytest.approx(energy**0.5, rel=1e-3)
        assert contents.blocks[block].modules == 1


def test_ranks_tags_and_damage(tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors", rank=6, alpha=3)
    tensors = load_file(file)
    name = next(name for name in tensors if name.endswith("lora_up.weight"))
    metadata = {"ss_tag_frequency": json.dumps({"a": {"cat": 3, "dog": 5}, "b": {"cat": 9}}), "ss_sd_model_name": "base.safetensors"}
    save_file({**tensors, name: torch.full_like(tensors[name], float("inf"))}, file, metadata)
    contents = inspected(file)
    assert {(block.ranks, block.alphas) for block in contents.blocks.values()} == {((6, 6), (3.0, 3.0))}
    assert contents.tags == {"cat": 12, "dog": 5}
    assert contents.base_model == "base.safetensors"
    assert contents.damaged == (name,)
    assert contents.metadata == metadata


def test_a_checkpoint(sdxl_file: Path) -> None:
    contents = inspected(sdxl_file)
    assert (contents.kind, contents.family, contents.naming) == ("checkpoint", "sdxl", "ldm")
    assert contents.precision["F32"] == contents.tensors
    assert not contents.blocks


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors")
    told = Told()
    inspect.run([str(file), "--plot", str(tmp_path / "plot" / "one.png")], told)
    with Image.open(tmp_path / "plot" / "one.png") as picture:
        picture.load()
        assert picture.size == (34 + 5 * 28 + 6, 210)
        assert len(picture.getcolors() or []) == 4
        heights = [sum(picture.getpixel((34 + 6 + 28 * n + 11, y)) == (0x4F, 0x7C, 0xAC) for y in range(200)) for n in range(5)]
    strengths = [block.strength for block in inspected(file).blocks.values()]
    assert heights == [round(180 * strength / max(strengths)) for strength in strengths]
    assert [event["event"] for event in told.events if event["event"] != "log"] == ["contents", "picture"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("part", ["alpha", "lora_up.weight"])
def test_damage_is_told_and_ends_nothing(part: str, value: float, tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors")
    tensors = load_file(file)
    name = next(name for name in tensors if name.endswith(part))
    save_file({**tensors, name: torch.full_like(tensors[name], value)}, file, {"ss_steps": "900", "ss_tag_frequency": "{}"})
    contents = tmp_path / "contents.json"
    told = Told()
    assert inspect.run([str(file), "--contents", str(contents)], told) == 0
    lines = [str(event["text"]) for event in told.events if event["event"] == "log"]
    assert f"DAMAGED: 1 tensors hold NaN or infinity, such as {name}" in lines
    assert "ss_steps: 900" in lines
    found = json.loads(contents.read_text("utf-8"))
    json.dumps([event for event in told.events if event["event"] == "contents"], allow_nan=False)
    assert (found["unmeasured"], found["damaged"], found["metadata"]["ss_steps"]) == (1, [name], "900")
    assert sum(len(block["layers"]) for block in found["blocks"].values()) == 4


def test_values_beyond_all_measure_end_nothing(tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors")
    save_file({name: tensor * 1e30 if tensor.ndim else tensor for name, tensor in load_file(file).items()}, file)
    contents = inspected(file)
    assert (contents.blocks, contents.unmeasured, contents.damaged) == ({}, 5, ())
