"""Is what is wrong with the sources, or has no room, told before work, with the file's name?"""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from lib_extension.spec.errors import BadFile, BadRequest
from tests.trainer.merging.loras import Told, lora
from trainer.merging import bake, convert, extract, merge, resize

CHANGED = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"
KEPT = "first_stage_model.decoder.conv_in.weight"
Usage = namedtuple("Usage", "total used free")


def told(command: object, *arguments: str | Path) -> Told:
    events = Told()
    command.run([str(argument) for argument in arguments], events)  # pyright: ignore[reportAttributeAccessIssue]
    return events


def changed(source: Path, file: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str] | None = None) -> Path:
    save_file({**load_file(source), **tensors}, file, metadata)
    return file


def damaged(source: Path, file: Path, *names: str, value: float = float("nan"), at: int = 0) -> Path:
    tensors = load_file(source)
    for name in names:
        tensors[name].view(-1)[at] = value
    save_file(tensors, file)
    return file


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**9, 10**9, 1))


def test_a_damaged_tensor_that_is_changed_is_refused_before_work(sd1_file: Path, tmp_path: Path) -> None:
    file = damaged(sd1_file, tmp_path / "bad.safetensors", CHANGED)
    for last in ("--check", "--output.name=x"):
        with pytest.raises(BadFile, match=rf'"{CHANGED}" of "bad" holds NaN'):
            told(bake, file, lora(tmp_path / "one.safetensors"), last, "--output.folder", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_one_that_stays_as_it_is_is_told(sd1_file: Path, tmp_path: Path) -> None:
    file = damaged(sd1_file, tmp_path / "bad.safetensors", KEPT, value=float("inf"))
    arguments = (file, lora(tmp_path / "one.safetensors"), "--output.folder", tmp_path / "out")
    (warning,) = told(bake, *arguments).warnings()
    assert warning.startswith(f'1 tensors of "bad" hold NaN or infinity, such as {KEPT}.')
    with pytest.raises(BadFile, match=KEPT):  # another precision changes all tensors
        told(bake, *arguments, "--output.precision", "bf16")


@pytest.mark.parametrize("at", [0, -1])
def test_what_is_mixed_in_is_named(at: int, sd1_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before work where a tensor begins, while it is read elsewhere; nothing is left of it."""
    monkeypatch.setattr("trainer.merging.tensor_file._BEGINNING", 32)
    file = damaged(sd1_file, tmp_path / "other.safetensors", CHANGED, at=at)
    config = {"checkpoint": {"file": str(sd1_file)}, "mix": {"other": {"file": str(file)}}, "output": {"folder": str(tmp_path / "out")}}
    (tmp_path / "bake.json").write_text(json.dumps(config))
    with pytest.raises(BadFile, match=rf'"{CHANGED}" of "other" holds NaN'):
        told(bake, tmp_path / "bake.json")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("at", [0, -1])
@pytest.mark.parametrize("bad", ["base", "tuned"])
def test_an_extraction_names_the_damaged_one(bad: str, at: int, sd1_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.merging.tensor_file._BEGINNING", 32)
    files = {name: shutil.copyfile(sd1_file, tmp_path / f"{name}.safetensors") for name in ("base", "tuned")}
    damaged(sd1_file, files[bad], CHANGED, at=at)
    with pytest.raises(BadFile, match=f'of "{bad}" holds NaN'):
        told(extract, files["base"], files["tuned"], "--output.folder", tmp_path / "out")


def test_a_copy_of_a_lora_is_known_by_its_bytes(tmp_path: Path) -> None:
    one, other = lora(tmp_path / "one.safetensors"), lora(tmp_path / "other.safetensors", seed=3)
    copy = shutil.copyfile(one, tmp_path / "copy.safetensors")
    assert told(merge, f"{one}:0.5", f"{copy}:0.5", "--check").warnings() == ['The same LoRA is there twice: "one" and "copy".']
    assert told(merge, f"{one}:0.5", f"{other}:0.5", "--check").warnings() == []


def mixed(a: Path, b: Path, folder: Path) -> Sequence[str]:
    config = {"checkpoint": {"file": str(a)}, "mix": {"other": {"file": str(b)}}, "output": {"folder": str(folder / "out")}}
    (folder / "mix.json").write_text(json.dumps(config))
    return told(bake, folder / "mix.json", "--check").warnings()


def test_checkpoints_that_predict_otherwise_are_told(sdxl_file: Path, tmp_path: Path) -> None:
    v = changed(sdxl_file, tmp_path / "v.safetensors", {"v_pred": torch.zeros(0)})
    zero = changed(sdxl_file, tmp_path / "zero.safetensors", {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)})
    assert mixed(sdxl_file, sdxl_file, tmp_path) == []
    assert mixed(sdxl_file, v, tmp_path) == ['"sdxl" predicts the noise, and "v" predicts v. They hardly go together.']
    (warning,) = mixed(v, zero, tmp_path)
    assert warning.startswith('"zero" learnt to begin with noise alone (zero terminal SNR), and "v" did not.')
    assert told(extract, sdxl_file, v, "--check").warnings() == ['"sdxl" predicts the noise, and "v" predicts v. They hardly go together.']


def test_a_lora_of_another_prediction_is_told(sd1_file: Path, tmp_path: Path) -> None:
    made = lora(tmp_path / "plain.safetensors")
    one = changed(made, tmp_path / "one.safetensors", {}, {"modelspec.prediction_type": "v"})
    assert told(bake, sd1_file, f"{one}:0.5", "--check").warnings() == [
        '"sd1" predicts the noise, and "one" predicts v. They hardly go together.'
    ]
    assert told(bake, sd1_file, f"{made}:0.5", "--check").warnings() == []


@pytest.mark.parametrize(("said", "architecture"), [("v", "stable-diffusion-v2-768-v"), ("eps", "stable-diffusion-v2-512"), ("", None)])
def test_what_sd2_predicts_is_handed_on(said: str, architecture: str | None, sd2_file: Path, tmp_path: Path) -> None:
    base, tuned = (shutil.copyfile(sd2_file, tmp_path / f"{name}.safetensors") for name in ("base", "tuned"))
    damaged(sd2_file, tuned, CHANGED, value=3.0)
    if said:
        for file in (base, tuned):
            file.with_suffix(".yaml").write_text(f'model:\n  params:\n    parameterization: "{said}"\n')
    found = told(extract, base, tuned, "--output.folder", tmp_path / "out").result()
    with safe_open(found, "pt") as opened:
        metadata = opened.metadata()
    assert metadata.get("modelspec.architecture") == (architecture and f"{architecture}/lora")
    assert metadata.get("modelspec.prediction_type") == {"v": "v", "eps": "epsilon", "": None}[said]
    again = told(resize, found, "--ranks.rank", "2", "--output.folder", tmp_path / "out").result()
    with safe_open(again, "pt") as opened:
        assert opened.metadata().get("modelspec.architecture") == metadata.get("modelspec.architecture")


def asked(command: str, sd1_file: Path, folder: Path, kind: str = "lora") -> tuple[object, list[str | Path]]:
    one = lora(folder / "one.safetensors", kind)
    if command == "extract":
        tuned = damaged(sd1_file, folder / "tuned.safetensors", CHANGED, value=3.0)
        return extract, [sd1_file, tuned, "--ranks.rank", "3"]
    return {
        "bake": (bake, [sd1_file, one]),
        "concatenate": (merge, [one, one]),
        "svd": (merge, [one, one, "--method", "svd", "--method.ranks.rank", "3"]),
        "resize": (resize, [one, "--ranks.rank", "3"]),
        "convert": (convert, [one, "--output.precision", "fp16"]),
        "as-lora": (convert, [one, "--type", "lora", "--ranks.rank", "3"]),
    }[command]


COMMANDS = ("bake", "concatenate", "svd", "resize", "convert", "as-lora", "extract")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_told_before_work(command: str, sd1_file: Path, tmp_path: Path, full: None) -> None:
    program, arguments = asked(command, sd1_file, tmp_path)
    out = tmp_path / "not" / "there"
    assert any("Make room first." in warning for warning in told(program, *arguments, "--check", "--output.folder", out).warnings())
    events = Told()
    with pytest.raises(BadRequest, match="Make room first"):
        program.run([*map(str, arguments), "--output.folder", str(out)], events)  # pyright: ignore[reportAttributeAccessIssue]
    assert "progress" not in [event["event"] for event in events.events]
    assert not out.exists()


@pytest.mark.parametrize("kind", ["lora", "loha", "lokr", "full"])
@pytest.mark.parametrize("command", COMMANDS[:-1])
def test_the_room_is_about_what_it_takes(command: str, kind: str, sd1_file: Path, tmp_path: Path) -> None:
    program, arguments = asked(command, sd1_file, tmp_path, kind)
    events = told(program, *arguments, "--output.folder", tmp_path / "out")
    (plan,) = [event for event in events.events if event["event"] == "plan"]
    size = events.result().stat().st_size
    assert 0.97 * size - 6000 <= plan["bytes"] <= 1.1 * size + 2000  # pyright: ignore[reportOperatorIssue] - it is a number


def test_a_rule_for_ranks_may_need_less_and_is_not_refused(tmp_path: Path, full: None) -> None:
    one = lora(tmp_path / "one.safetensors")
    arguments = (one, "--ranks.rule=sv_fro", "--ranks.amount=0.5", "--output.folder", tmp_path / "out")
    assert told(resize, *arguments, "--check").warnings()
    events = Told()
    with pytest.raises(BadRequest, match="Make room first"):  # when it is known what it takes
        resize.run([str(argument) for argument in arguments], events)
    assert "progress" in [event["event"] for event in events.events]


def test_a_folder_s_other_files_are_counted(sd1_folder: Path, tmp_path: Path) -> None:
    events = told(bake, sd1_folder, lora(tmp_path / "one.safetensors"), "--output.folder", tmp_path / "out")
    (plan,) = [event for event in events.events if event["event"] == "plan"]
    size = sum(file.stat().st_size for file in events.result().rglob("*") if file.is_file())
    assert plan["bytes"] == pytest.approx(size, rel=0.05)
    assert plan["bytes"] > sum(file.stat().st_size for file in sd1_folder.rglob("*.safetensors")) * 0.99  # pyright: ignore
