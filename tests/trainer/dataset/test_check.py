"""Is what is wrong with a folder of pictures found, and nothing else?"""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from lib_extension.spec.dataset import CheckSettings
from lib_extension.spec.settings import from_json
from tests.demo_model.scenes import training_scene
from trainer.__main__ import main
from trainer.dataset.check import check
from trainer.dataset.facts import facts_of, smaller
from trainer.dataset.seen import see_all
from trainer.dataset.twins import clusters
from trainer.report import Report


def photograph(seed: int, size: tuple[int, int] = (768, 640)) -> Image.Image:
    """Soft shapes with fine grain, as a photograph has."""
    random = np.random.default_rng(seed)
    shapes = Image.fromarray(random.integers(30, 225, (7, 9, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    grain = random.normal(0, 14, (size[1], size[0], 1))
    return Image.fromarray((np.asarray(shapes) + grain).clip(0, 255).astype(np.uint8))


def checked(folder: Path, **more: object) -> dict[str, set[str]]:
    """The names of the pictures by the kinds of their findings."""
    settings = from_json(CheckSettings, {"folder": str(folder), "report": str(folder.parent / "report"), **more})
    check(settings, Report(io.StringIO()))
    told = json.loads((folder.parent / "report" / "report.json").read_text("utf-8"))
    found: dict[str, set[str]] = {}
    for finding in told["findings"]:
        found.setdefault(finding["kind"], set()).add(finding["name"])
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for i in range(5):
        photograph(i).save(folder / f"good-{i}.jpg", quality=92)
    return folder


def test_sound_pictures_have_no_findings(folder: Path) -> None:
    assert checked(folder) == {}


def test_every_kind_is_found(folder: Path) -> None:
    picture = photograph(9)
    (folder / "broken.jpg").write_bytes((folder / "good-0.jpg").read_bytes()[:4000])
    (folder / "copy.jpg").write_bytes((folder / "good-1.jpg").read_bytes())
    photograph(2).resize((700, 583)).save(folder / "alike.png")
    photograph(17).resize((200, 180)).save(folder / "tiny.png")
    picture.filter(ImageFilter.GaussianBlur(6)).save(folder / "blurred.png")
    ImageEnhance.Brightness(photograph(10)).enhance(0.1).save(folder / "dark.png")
    Image.fromarray((255 - (255 - np.asarray(photograph(11))) * 0.1).astype(np.uint8)).save(folder / "bright.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    photograph(12).save(folder / "turned.jpg", exif=exif)
    glass = photograph(13).convert("RGBA")
    glass.putalpha(Image.linear_gradient("L").resize(glass.size))
    glass.save(folder / "glass.png")
    photograph(14).convert("CMYK").save(folder / "print.jpg")
    photograph(15).save(folder / "named.webp", "PNG")
    photograph(16, (3000, 400)).save(folder / "wide.png")
    found = checked(folder)
    assert found["broken"] == {"broken.jpg"}
    assert found["twin"] == {"good-1.jpg"}  # the shorter name is kept
    assert found["alike"] == {"alike.png"}
    assert found["tiny"] == {"tiny.png"}
    assert "blurred.png" in found["blurred"]
    assert found["blurred"] <= {"blurred.png", "bright.png", "dark.png"}
    assert found["dark"] == {"dark.png"}
    assert found["bright"] == {"bright.png"}
    assert found["turned"] == {"turned.jpg"}
    assert found["transparent"] == {"glass.png"}
    assert found["odd"] == {"print.jpg", "named.webp"}
    assert found["shape"] == {"wide.png"}
    assert "wide.png" in found["cut"]


def test_a_subject_that_a_crop_cuts_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    scene = training_scene(4).picture
    wide = Image.new("RGB", (205, 128), scene.getpixel((2, 2)))
    wide.paste(scene, (-46, 0))
    wide.save(folder / "aside.png")
    scene.save(folder / "middle.png")
    found = checked(folder, subject="object", resolution=128, limits={"smallest": 64, "blurred": 0, "bright": 255, "clipped": 1})
    assert found["subject"] == {"aside.png"}


def test_the_page_stands_alone_and_escapes_names(folder: Path) -> None:
    (folder / "<b>&.jpg").write_bytes(b"no picture")
    checked(folder)
    page = (folder.parent / "report" / "report.html").read_text("utf-8")
    assert "&lt;b&gt;&amp;.jpg" in page
    assert "<b>&.jpg" not in page
    assert page.count("data:image/webp;base64,") == 5
    assert "http" not in page.replace("http-equiv", "")


def test_a_thumbnail_that_was_not_kept_is_the_same(folder: Path) -> None:
    photograph(7).convert("RGBA").save(folder / "glass.png")
    (folder / "broken.png").write_bytes(b"no picture")
    files = [(path, path.name) for path in sorted(folder.iterdir())]
    for one in see_all(files, CheckSettings(str(folder)), lambda done, total: None):
        kept, again = one.thumbnail, replace(one, kept_thumbnail=None).thumbnail
        assert kept == again
        assert (kept is None) == (one.name == "broken.png")


def test_nothing_in_the_folder_changes(folder: Path) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    checked(folder)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before


def test_hashes_survive_scaling_and_compression_and_tell_colours_apart() -> None:
    picture = photograph(3)
    data = io.BytesIO()
    picture.resize((512, 427)).save(data, "JPEG", quality=40)
    other_colours = Image.merge("RGB", picture.split()[::-1])
    all_facts = [facts_of(smaller(p)) for p in (picture, Image.open(data), other_colours, photograph(4))]
    assert clusters(all_facts, 8) == [[0, 1]]
    assert clusters([], 8) == []


def test_clusters_are_chains_across_blocks() -> None:
    one = facts_of(smaller(photograph(1)))
    many = [facts_of(photograph(i, (64, 64))) for i in range(2, 22)]
    assert clusters([one, *many, one], 4) == [[0, 21]]


def test_the_command_says_what_it_found_and_refuses_an_empty_folder(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "check.json"
    config.write_text(json.dumps({"folder": str(folder)}))
    assert main(["prepare", str(config)]) == 0
    events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert events[-1] == {"event": "report", "pictures": 5, "findings": 0, "page": str(tmp_path / "data-report" / "report.html")}
    (tmp_path / "empty").mkdir()
    assert main(["prepare", str(config), f"folder={tmp_path / 'empty'}"]) == 2
    assert "There are no pictures in" in capfd.readouterr().out
    assert main(["prepare", str(config), "foldr=x"]) == 2
    assert "folder" in capfd.readouterr().out
