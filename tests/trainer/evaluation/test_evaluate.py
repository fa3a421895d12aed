"""Are the saves of a finished run compared, told and shown, and does a comparison that fails leave the LoRA alone?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from lib_extension.jobs.account import Account
from lib_extension.models.hashes import network_hash
from lib_extension.models.library import DEMO
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import from_json
from lib_extension.spec.training.evaluation import EvaluationSettings
from tests.models.clip_files import write_clip
from tests.trainer.runs import Told, carried_out, config_file

SAMPLES = [{"prompt": "a red ball, at the top", "steps": 2}, {"prompt": "a house", "steps": 2, "seed": 7}]
RUN = {"steps": 4, "save_every": 2, "samples": SAMPLES, "sample_first": False}
ASKED = {"on": True, "weights": [1.0, 0.4], "pictures": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evaluation")


@pytest.fixture(scope="module")
def told(folder: Path) -> Told:
    """Of a training at far too high a rate, which makes the model worse and worse."""
    parts = {"run": RUN | {"sample_every": 2}, "optimizer": {"learning_rate": 1.0}, "output": {"lora_folder": str(folder / "Lora")}}
    return carried_out("train", config_file(folder, DEMO, evaluation=ASKED, **parts), "data.validation_share=0.25")


def test_every_save_has_its_figures_and_one_is_proposed(folder: Path, told: Told) -> None:
    assert told.status == 0, told.error
    found = json.loads((folder / "runs/disc/evaluation.json").read_text())
    assert [save["file"] for save in found["saves"]] == ["disc-000002.safetensors", "disc-000004.safetensors"]
    for save in found["saves"]:
        assert save["validation_loss"] > 0
        assert 0 <= save["agreement"] <= 1
        assert -1 <= save["likeness"] <= 1
        assert 0.5 < save["kept"] <= 1.0001
    assert found["best"] == found["saves"][found["totals"].index(max(found["totals"]))]["file"]
    assert f"The best save seems to be {found['best']}." in told.logged
    assert [event["step"] for event in told.events if event["event"] == "save"] == [2, 4]
    proposed = told.events[-1]
    assert (proposed["event"], proposed["best"], proposed["sheet"]) == ("evaluation", found["best"], "samples/evaluation.png")


def test_a_save_is_measured_as_it_was_when_it_was_trained(folder: Path, told: Told) -> None:
    """The file on a base loaded anew has the validation loss of the network that it was written from."""
    last = json.loads((folder / "runs/disc/evaluation.json").read_text())["saves"][-1]
    assert last["validation_loss"] == pytest.approx(told.points("validation loss")[4], rel=1e-4)


def test_the_sheet_shows_prompts_saves_and_weights(folder: Path, told: Told) -> None:
    shown = [event for event in told.events if event["event"] == "picture"][-1]
    assert shown["file"] == "samples/evaluation.png"
    with Image.open(folder / "runs/disc" / shown["file"]) as sheet:
        assert sheet.width >= 2 * 64
        assert sheet.height >= 2 * 64
    account = Account()
    account.read(folder / "runs/disc")
    assert account.findings[-1]["event"] == "evaluation"


def test_a_save_that_is_better_than_the_last_lies_beside_it_in_the_lora_folder(folder: Path, told: Told) -> None:
    proposed, lora = told.events[-1], folder / "Lora/disc-000002.safetensors"
    assert (proposed["best"], proposed["step"], proposed["file"]) == (lora.name, 2, str(lora))
    assert network_hash(lora) == network_hash(folder / "runs/disc" / lora.name) != network_hash(folder / "Lora/disc.safetensors")
    assert json.loads(lora.with_suffix(".json").read_text())["notes"].endswith("in 2 steps.")
    assert lora.with_suffix(".preview.png").read_bytes() == (folder / "runs/disc/samples/step-000002-1.png").read_bytes()


def test_a_comparison_that_fails_leaves_a_finished_lora(sd1_folder: Path, tmp_path: Path) -> None:
    asked = ASKED | {"tagger": str(tmp_path / "nowhere")}
    told = carried_out("train", config_file(tmp_path, sd1_folder, run=RUN, evaluation=asked))
    assert told.status == 0, told.error
    assert "The saves could not be compared (" in told.logged
    assert (tmp_path / "runs/disc/disc.safetensors").is_file()
    assert not (tmp_path / "runs/disc/evaluation.json").exists()


def test_without_a_tagger_nothing_is_proposed(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder, run=RUN, evaluation=ASKED | {"tagger": ""})
    assert carried_out("train", config, "name=untagged").status == 0
    found = json.loads((tmp_path / "runs/untagged/evaluation.json").read_text())
    saves = found["saves"]
    assert found["best"] == "", "what was forgotten alone says nothing"
    assert [(save["agreement"], save["likeness"], save["validation_loss"]) for save in saves] == [(None, None, None)] * 2
    assert all(save["kept"] > 0.5 for save in saves)
    again = carried_out("train", tmp_path / "runs/untagged", "run.steps=5", 'evaluation.prompts=["a cat"]')
    assert again.status == 0, again.error
    assert "as it was to stop" not in again.logged, "somebody sent this process a signal to end, such as timeout does"
    assert len(json.loads((tmp_path / "runs/untagged/evaluation.json").read_text())["saves"]) == 3, again.logged


def test_by_a_clip_a_save_is_proposed_without_a_tagger(sd1_folder: Path, tmp_path: Path) -> None:
    asked = ASKED | {"weights": [1.0], "tagger": str(write_clip(tmp_path / "clip"))}
    config = config_file(tmp_path, sd1_folder, run=RUN, optimizer={"learning_rate": 1.0}, evaluation=asked)
    assert carried_out("train", config).status == 0
    found = json.loads((tmp_path / "runs/disc/evaluation.json").read_text())
    assert found["best"] in [save["file"] for save in found["saves"]]
    assert all(0 <= save["agreement"] <= 1 and -1 <= save["likeness"] <= 1.0001 for save in found["saves"])


def test_without_samples_captions_are_drawn(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder, run=RUN | {"samples": [], "steps": 1}, evaluation=ASKED | {"weights": [1.0]})
    assert carried_out("train", config).status == 0
    found = json.loads((tmp_path / "runs/disc/evaluation.json").read_text())
    assert found["saves"][0]["kept"] > 0.5
    with Image.open(tmp_path / "runs/disc" / found["sheet"]) as sheet:
        assert sheet.height > 2 * 64, "a row for each of two captions"


@pytest.mark.parametrize("weights", [[], [5.0]])
def test_weights_that_make_no_sheet_are_refused(weights: list[float]) -> None:
    with pytest.raises(BadRequest, match=r"evaluation\.weights"):
        from_json(EvaluationSettings, {"weights": weights})
