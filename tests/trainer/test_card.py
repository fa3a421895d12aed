"""Does a card say what the WebUI reads, and does it leave alone what is there?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_extension.formats.safetensors_header import read_header
from tests.trainer.runs import carried_out, config_file
from trainer.card import card, last_sample, write_card
from trainer.lora_metadata import LoraTold

TOLD = LoraTold("hat", title="A hat", trigger="ohwx hat", steps=200, pictures=16)


@pytest.mark.parametrize(("family", "version"), [("sd1", "SD1"), ("sd2", "SD2"), ("sdxl", "SDXL"), ("flux", "Unknown")])
def test_a_card_has_the_webuis_fields(family: str, version: str) -> None:
    said = card(TOLD, family)
    assert (said["sd version"], said["activation text"], said["preferred weight"]) == (version, "ohwx hat", 1.0)
    assert said["description"] == "A hat"
    assert card(LoraTold("hat", description="Red"), family)["description"] == "Red"
    assert said["notes"] == "Trained on 16 pictures in 200 steps."


def test_the_newest_sample_is_the_preview(tmp_path: Path) -> None:
    samples = tmp_path / "samples"
    samples.mkdir()
    for step, number in ((0, 1), (900, 1), (1000000, 1), (1000000, 2)):
        (samples / f"step-{step:06d}-{number}.png").write_bytes(f"{step} {number}".encode())
    lora = tmp_path / "hat v1.5.safetensors"
    assert [file.name for file in write_card(lora, TOLD, "sd1", samples)] == ["hat v1.5.json", "hat v1.5.preview.png"]
    assert (tmp_path / "hat v1.5.preview.png").read_bytes() == b"1000000 1"
    assert json.loads((tmp_path / "hat v1.5.json").read_text("utf-8"))["activation text"] == "ohwx hat"


def test_without_samples_there_is_no_preview_and_what_is_there_stays(tmp_path: Path) -> None:
    assert last_sample(tmp_path / "none") is None
    (tmp_path / "hat.json").write_text("mine")
    assert write_card(tmp_path / "hat.safetensors", TOLD, "sd1", tmp_path / "none") == []
    assert (tmp_path / "hat.json").read_text() == "mine"


def test_pictures_that_are_seen_three_times_count_once(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder, run={"steps": 1}, output={"lora_folder": str(tmp_path / "Lora")})
    told = carried_out("train", config, "data.concepts[0].repeats=3")
    assert told.status == 0, told.error
    assert json.loads((tmp_path / "Lora/disc.json").read_text("utf-8"))["notes"] == "Trained on 4 pictures in 1 steps."
    assert read_header(tmp_path / "Lora/disc.safetensors").metadata["ss_num_train_images"] == "12"
