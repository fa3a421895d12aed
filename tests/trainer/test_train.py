"""Does a run do what its configuration says: its folder, files, samples, validation, stops and refusals?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from tensorboardX.proto import event_pb2

from lib_extension.jobs.account import Account
from tests.trainer.runs import At, carried_out, config_file, pictures, trained_weights

SAMPLES = [{"prompt": "a disc", "steps": 2}, {"prompt": "a disc, drawn", "negative_prompt": "blue", "steps": 2, "width": 72}]


def points_on(board: Path) -> dict[tuple[str, int], float]:
    """Of TensorBoard's file, by series and step."""
    data, found, at = board.read_bytes(), {}, 0
    while at < len(data):  # length (8 bytes), its check sum (4), the event, its check sum (4)
        length = int.from_bytes(data[at : at + 8], "little")
        event = event_pb2.Event.FromString(data[at + 12 : at + 12 + length])  # pyright: ignore[reportAttributeAccessIssue]
        found |= {(value.tag, event.step): value.simple_value for value in event.summary.value}
        at += length + 16
    return found


def test_a_whole_run_leaves_what_it_should(sd1_folder: Path, tmp_path: Path) -> None:
    run = {"steps": 4, "save_every": 2, "keep_states": 1, "plot": True, "tensorboard": True, "samples": SAMPLES, "sample_every": 2}
    config = config_file(tmp_path, sd1_folder, run=run | {"validate_every": 2}, output={"lora_folder": str(tmp_path / "Lora")})
    told = carried_out("train", config, "data.validation_share=0.25")
    assert told.status == 0, told.error
    folder = tmp_path / "runs/disc"
    assert [path.name for path in (folder / "states").iterdir()] == ["step-000004"]
    assert sorted(path.name for path in folder.glob("*.safetensors")) == [
        "disc-000002.safetensors",
        "disc-000004.safetensors",
        "disc.safetensors",
    ]
    assert sorted(path.name for path in (folder / "samples").iterdir()) == [f"step-00000{s}-{n}.png" for s in (0, 2, 4) for n in (1, 2)]
    with Image.open(folder / "samples/step-000004-2.png") as picture:
        assert picture.size == (72, 64)
        assert picture.text["parameters"].startswith("a disc, drawn\nNegative prompt: blue\nSteps: 2, Sampler: DDIM")  # pyright: ignore[reportAttributeAccessIssue]
    assert list(told.points("validation loss")) == [0, 2, 4]
    assert list(told.points()) == [1, 2, 3, 4]
    assert sorted(path.name for path in (tmp_path / "Lora").iterdir()) == ["disc.json", "disc.preview.png", "disc.safetensors"]
    with safe_open(tmp_path / "Lora/disc.safetensors", "pt") as file:
        metadata = file.metadata()
    assert metadata["ss_steps"] == "4"
    assert json.loads(metadata["ss_tag_frequency"])["pictures"]["a disc"] == 3
    with Image.open(folder / "loss.png") as plot:
        assert plot.size == (960, 480)
    (board,) = (folder / "tensorboard").iterdir()
    shown = points_on(board)
    assert {step: shown["loss", step] for step in (1, 2, 3, 4)} == pytest.approx(told.points())
    assert {step: shown["validation_loss", step] for step in (0, 2, 4)} == pytest.approx(told.points("validation loss"))
    assert not list(folder.rglob("*.part"))
    account = Account()
    account.read(folder)
    assert account.points.keys() == {"loss", "learning rate", "gradient norm", "validation loss"}
    assert account.progress is not None
    assert account.progress["done"] == 4
    assert len(account.pictures) == 6


def test_the_frozen_configuration_alone_repeats_the_run(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder)
    assert carried_out("train", config, "run.steps=3").status == 0
    frozen = tmp_path / "runs/disc/config.json"
    assert carried_out("train", frozen, f"output.folder={tmp_path / 'again'}").status == 0
    one, other = trained_weights(tmp_path / "runs/disc/disc.safetensors"), trained_weights(tmp_path / "again/disc/disc.safetensors")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_looking_at_a_run_does_not_change_it(sd1_folder: Path, tmp_path: Path) -> None:
    """Samples, validation and saves take the weights for use into the model and bring back what was there."""
    config = config_file(tmp_path, sd1_folder, optimizer={"optimizer": "ScheduleFree"}, run={"steps": 4, "ema": 0.9})
    assert carried_out("train", config, "data.validation_share=0.25").status == 0
    watched = ["run.save_every=1", "run.sample_every=1", "run.validate_every=1", f"run.samples={json.dumps(SAMPLES[:1])}"]
    assert carried_out("train", config, "data.validation_share=0.25", "name=watched", *watched).status == 0
    one = trained_weights(tmp_path / "runs/disc/disc.safetensors")
    other = trained_weights(tmp_path / "runs/watched/watched.safetensors")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_parts_of_a_batch_add_up_to_the_batch(sd1_folder: Path, tmp_path: Path) -> None:
    optimizer = {"optimizer": "torch.optim.SGD", "learning_rate": 0.5}
    config = config_file(tmp_path, sd1_folder, optimizer=optimizer, data={"batch_size": 3}, run={"steps": 3})
    whole = carried_out("train", config)
    parts = carried_out("train", config, "name=parts", "memory.parts=2", "memory.gradient_checkpointing=true")
    assert whole.points() == pytest.approx(parts.points(), rel=1e-4)
    one = trained_weights(tmp_path / "runs/disc/disc.safetensors")
    other = trained_weights(tmp_path / "runs/parts/parts.safetensors")
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("family", ["sd2", "sdxl"])
def test_other_families_train_without_a_cache_too(family: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    data = {"cache_latents": False, "cache_text": False}
    config = config_file(tmp_path, request.getfixturevalue(f"{family}_folder"), data=data, run={"steps": 2, "samples": SAMPLES[:1]})
    uncached = carried_out("train", config)
    cached = carried_out("train", config, "name=cached", "data.cache_latents=true", "data.cache_text=true")
    assert uncached.status == cached.status == 0, uncached.error + cached.error
    assert uncached.points() == pytest.approx(cached.points(), rel=1e-4)


def test_epochs_instead_of_steps_and_schedules_are_followed(sd1_folder: Path, tmp_path: Path) -> None:
    """Four pictures, two at a time, and two batches a step: one step an epoch."""
    asked = ["run.epochs=4", "memory.accumulation=2", "schedule.schedule=linear", "schedule.warmup_steps=2"]
    told = carried_out("train", config_file(tmp_path, sd1_folder), *asked)
    assert told.points("learning rate") == pytest.approx({1: 5e-4, 2: 1e-3, 3: 1e-3, 4: 5e-4})


def test_a_finished_run_is_not_trained_again(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder, run={"steps": 1})
    carried_out("train", config)
    before = sorted(path.name for path in (tmp_path / "runs/disc").iterdir())
    told = carried_out("train", tmp_path / "runs/disc")
    assert told.status == 0
    assert "done already" in told.logged
    assert sorted(path.name for path in (tmp_path / "runs/disc").iterdir()) == before


def test_files_that_could_not_be_written_at_the_end_are_when_it_goes_on(sd1_folder: Path, tmp_path: Path) -> None:
    loras = tmp_path / "Lora"
    loras.write_text("in the way of a folder")
    output = {"lora_folder": str(loras), "peft_copy": True}
    assert carried_out("train", config_file(tmp_path, sd1_folder, run={"steps": 1}, output=output)).status != 0
    loras.unlink()
    told = carried_out("train", tmp_path / "runs/disc")
    assert told.status == 0, told.error
    assert "done already" not in told.logged
    files = [Path(event["file"]) for event in told.events if event["event"] == "file"]
    assert [file.name for file in files] == ["disc.safetensors", "disc.safetensors", "disc-peft.safetensors"]
    assert files[1] == loras / "disc.safetensors"
    assert not list((tmp_path / "runs/disc").glob("disc-2*"))
    assert "done already" in carried_out("train", tmp_path / "runs/disc").logged


def test_another_run_of_the_name_is_refused(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder, run={"steps": 1})
    carried_out("train", config)
    told = carried_out("train", config, "optimizer.learning_rate=0.5", "run.steps=2")
    assert told.status == 2
    assert "already, with another optimizer.learning_rate. Take another name" in told.error


def test_pictures_that_changed_are_told(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder, run={"steps": 1})
    carried_out("train", config)
    (pictures(tmp_path / "pictures", 1) / "0.txt").write_text("something else")
    assert "captions are others" in carried_out("train", config, "run.steps=2").logged


def test_a_stop_file_saves_and_ends_within_a_step(sd1_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program that starts jobs names it by the environment."""
    monkeypatch.setenv("ATELIER_STOP_FILE", str(tmp_path / "stop"))
    config = config_file(tmp_path, sd1_folder)
    told = carried_out("train", config, out=At("values are trained", tmp_path / "stop"))
    assert told.status == 3
    assert list(told.points()) == [1]
    assert (tmp_path / "runs/disc/states/step-000001").is_dir()
    assert (tmp_path / "runs/disc/disc-000001.safetensors").is_file()
    assert not (tmp_path / "runs/disc/disc.safetensors").exists()
    (tmp_path / "stop").unlink()
    went_on = carried_out("train", config, "run.steps=2")
    assert list(went_on.points()) == [1, 2], "for whoever plots it"
    assert went_on.points()[1] == told.points()[1]
    account = Account()
    account.read(tmp_path / "runs/disc")
    assert [x for x, _ in account.points["loss"]] == [1, 2], "each once in the run's folder"


@pytest.mark.parametrize("words", ["latents encoded", "captions encoded", "Loading"])
def test_it_ends_before_the_first_step_if_that_is_wanted_by_then(
    words: str, sd1_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATELIER_STOP_FILE", str(tmp_path / "stop"))
    config = config_file(tmp_path, sd1_folder, run={"steps": 1})
    told = carried_out("train", config, out=At(words, tmp_path / "stop"))
    encoded = len(list((tmp_path / "runs/cache/latents").rglob("*.safetensors")))
    if words == "Loading":  # too late for that: it is within a step of its end
        assert told.status == 0
    else:
        assert (told.status, told.points()) == (3, {})
        assert "Stopped before the first step; what is encoded already stays." in told.logged
        assert encoded == (1 if words == "latents encoded" else 4)
    (tmp_path / "stop").unlink()
    assert carried_out("train", config).status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["name=../x"], "name has '/' in it"),
        (["optimiser.learning_rate=1"], 'optimiser is not known. Did you mean "optimizer"?'),
        (["run.step=5"], 'run.step is not known. Did you mean "steps"?'),
        (["model.checkpoint=nowhere.safetensors"], 'There is no checkpoint "nowhere.safetensors"'),
        (["model.family=sdxl"], 'model.family is "sdxl", but "tiny_sd1" is a model of the family "sd1"'),
        (["memory.device=cuda"], 'memory.device is "cuda", which is not in this machine'),
        (["memory.precision=fp16"], "fp16, which cpu does not train in"),
        (['run.samples=[{"prompt": "x", "width": 100}]'], "width is 100; it must be a multiple of 8"),
    ],
)
@pytest.mark.skipif(torch.accelerator.is_available(), reason="says what there is to say without a GPU")
def test_mistakes_are_told_in_a_line(arguments: list[str], said: str, sd1_folder: Path, tmp_path: Path) -> None:
    told = carried_out("train", config_file(tmp_path, sd1_folder), *arguments)
    assert told.status == 2
    assert said in told.error
