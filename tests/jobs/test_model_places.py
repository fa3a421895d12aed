"""Does a name lead to the file that it means, and nothing to a file or folder outside of the models' own?"""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_extension.jobs.kind import Around
from lib_extension.jobs.kinds import KINDS
from lib_extension.jobs.model_places import ModelPlaces
from lib_extension.spec.errors import AtelierError, BadRequest, NotFound
from lib_extension.spec.settings import from_json, to_json


@pytest.fixture
def models(tmp_path: Path) -> Path:
    models = tmp_path / "models"
    for file in ("Lora/watch.safetensors", "Lora/old/beach.safetensors", "LyCORIS/wall.safetensors", "Stable-diffusion/sd.safetensors"):
        (models / file).parent.mkdir(parents=True, exist_ok=True)
        (models / file).touch()
    (tmp_path / "secret.safetensors").touch()
    (models / "Lora" / "peft").mkdir()
    (models / "Lora" / "peft" / "adapter_config.json").touch()
    (models / "Stable-diffusion" / "tuned").mkdir()
    (models / "Stable-diffusion" / "tuned" / "model_index.json").touch()
    return models


@pytest.mark.parametrize(
    ("kind", "name", "file"),
    [
        ("loras", "watch", "Lora/watch.safetensors"),
        ("loras", "beach", "Lora/old/beach.safetensors"),
        ("loras", "old/beach.safetensors", "Lora/old/beach.safetensors"),
        ("loras", "old_beach", "Lora/old/beach.safetensors"),
        ("loras", "wall", "LyCORIS/wall.safetensors"),
        ("loras", "peft", "Lora/peft"),
        ("checkpoints", "sd.safetensors [6ce0161689]", "Stable-diffusion/sd.safetensors"),
        ("checkpoints", "tuned", "Stable-diffusion/tuned"),
    ],
)
def test_a_name_is_that_of_a_file(models: Path, kind: str, name: str, file: str):
    places = ModelPlaces(models)
    assert places.file(kind, name) == models / file  # pyright: ignore[reportArgumentType]
    assert places.file(kind, str(models / file)) == models / file  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", ["../secret.safetensors", "../../secret", "/etc/passwd", "", ".", "sd", "watch\x00"])
def test_what_lies_elsewhere_is_not_there(models: Path, name: str):
    with pytest.raises(NotFound):
        ModelPlaces(models).file("loras", name)


def test_a_path_out_of_the_folders_is_refused_whatever_it_looks_like(models: Path):
    places = ModelPlaces(models)
    for path in (models.parent / "secret.safetensors", models / "Lora" / ".." / ".." / "secret.safetensors"):
        with pytest.raises(NotFound):
            places.file("loras", str(path))
    (models / "Lora" / "out").symlink_to(models.parent)
    with pytest.raises(BadRequest):
        places.folder("loras", "out")
    for folder in ("..", "../Stable-diffusion", "/tmp", "a/../../.."):
        with pytest.raises(BadRequest):
            places.folder("loras", folder)


def test_results_go_below_the_first_folder(models: Path):
    places = ModelPlaces(models)
    assert places.folder("loras", "") == places.folder("loras", ".") == models / "Lora"
    assert places.folder("loras", "mine/new") == models / "Lora" / "mine" / "new"
    assert places.folder("loras", str(models / "LyCORIS")) == models / "LyCORIS"
    assert places.folder("checkpoints", "") == models / "Stable-diffusion"


def test_folders_that_a_host_names_come_first(models: Path, tmp_path: Path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "watch.safetensors").touch()
    (tmp_path / "more" / "sky.safetensors").touch()
    places = ModelPlaces(models, {"loras": (tmp_path / "more",)})
    assert places.folder("loras", "") == tmp_path / "more"
    assert places.file("loras", "watch") == tmp_path / "more" / "watch.safetensors"
    assert places.file("loras", "beach") == models / "Lora" / "old" / "beach.safetensors"
    assert places.file("loras", "sky") == tmp_path / "more" / "sky.safetensors"
    with pytest.raises(NotFound):
        places.file("checkpoints", "sky")


def test_programs_get_paths_in_place_of_names(models: Path):
    def filled(kind: str, config: dict[str, object]) -> dict[str, object]:
        known = KINDS[kind]
        return to_json(known.fill(from_json(known.settings, config), Around(models.parent, models)))

    merge = filled("merge", {"loras": [{"file": "watch"}, {"file": "beach", "weight": 0.3}]})
    assert [one["file"] for one in merge["loras"]] == [str(models / "Lora/watch.safetensors"), str(models / "Lora/old/beach.safetensors")]  # pyright: ignore
    assert merge["output"]["folder"] == str(models / "Lora")  # pyright: ignore
    assert merge["base"] == ""
    bake = filled("bake", {"checkpoint": {"file": "sd"}, "mix": {"other": {"file": "tuned"}}, "output": {"folder": "mine"}})
    assert bake["checkpoint"]["file"] == str(models / "Stable-diffusion/sd.safetensors")  # pyright: ignore
    assert bake["mix"]["other"]["file"] == str(models / "Stable-diffusion/tuned")  # pyright: ignore
    assert bake["output"]["folder"] == str(models / "Stable-diffusion/mine")  # pyright: ignore
    looked = filled("inspect", {"file": "sd", "plot": "/etc/cron.d/x.png", "contents": "/etc/cron.d/x.json"})
    assert looked == {"file": str(models / "Stable-diffusion/sd.safetensors"), "plot": "", "contents": ""}
    with pytest.raises(AtelierError):
        filled("convert", {"file": "watch", "output": {"folder": "/tmp"}})


def test_only_what_was_made_to_be_tried_is_told_as_that(models: Path):
    (models / "Lora" / "atelier-try-svd.safetensors").touch()
    (models / "Lora" / "atelier-try-notes.txt").touch()
    assert [path.name for path in ModelPlaces(models).tried()] == ["atelier-try-svd.safetensors"]
    assert ModelPlaces(models / "nowhere").tried() == []
