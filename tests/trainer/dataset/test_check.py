"""Is what is wrong with a folder of pictures found, and nothing else?"""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from lib_extension.captions.files import Captioned
from lib_extension.spec.dataset import CheckLimits, CheckSettings
from lib_extension.spec.errors import BadFile, BadRequest
from lib_extension.spec.settings import from_json
from lib_extension.spec.training.data import DataSettings
from tests.demo_model.scenes import training_scene
from trainer.__main__ import main
from trainer.data import mistakes
from trainer.data.buckets import fit, sizes_of
from trainer.data.looks import Look
from trainer.dataset.check import check
from trainer.dataset.facts import Facts, facts_of, smaller
from trainer.dataset.findings import Finding, clusters_in, findings_of
from trainer.dataset.page import as_data, as_page
from trainer.dataset.seen import Seen, see_all
from trainer.dataset.twins import clusters
from trainer.report import Report


def photograph(seed: int, size: tuple[int, int] = (768, 640)) -> Image.Image:
    """Soft shapes with fine grain, as a photograph has."""
    random = np.random.default_rng(seed)
    shapes = Image.fromarray(random.integers(30, 225, (7, 9, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    grain = random.normal(0, 14, (size[1], size[0], 1))
    return Image.fromarray((np.asarray(shapes) + grain).clip(0, 255).astype(np.uint8))


def checked_findings(folder: Path, **more: object) -> list[Finding]:
    settings = from_json(CheckSettings, {"folder": str(folder), "report": str(folder.parent / "report"), **more})
    check(settings, Report(io.StringIO()))
    told = json.loads((folder.parent / "report" / "report.json").read_text("utf-8"))
    return [Finding(**finding) for finding in told["findings"]]


def checked(folder: Path, **more: object) -> dict[str, set[str]]:
    """The names of the pictures by the kinds of their findings."""
    found: dict[str, set[str]] = {}
    for finding in checked_findings(folder, **more):
        found.setdefault(finding.kind, set()).add(finding.name)
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
    assert clusters(all_facts, 8) == [{0: 0, 1: 0}]
    assert clusters([], 8) == []


def of_hashes(*bits: int) -> list[Facts]:
    """Facts that differ in their hashes alone."""
    return [Facts(100, 100, 0, value, value, bytes(192)) for value in bits]


def test_clusters_are_chains_that_begin_with_the_first() -> None:
    facts = of_hashes(0b0000, 0xFF00, 0b1111, 0b0011, 0xFF01)
    assert clusters(facts, 2) == [{0: 0, 3: 0, 2: 3}, {1: 1, 4: 1}]
    assert clusters(facts, 4) == [{0: 0, 2: 0, 3: 0}, {1: 1, 4: 1}]
    assert clusters(facts, 0) == []


def test_ten_thousand_frames_that_look_alike_are_one_cluster(tmp_path: Path) -> None:
    facts = of_hashes(*(number % 16 for number in range(10_000)))
    (group,) = clusters(facts, 4)
    assert set(group.values()) == {0}
    seen = [Seen(tmp_path / f"{i}.png", f"{i}.png", Look(64, 64, str(i)), one) for i, one in enumerate(facts)]
    told = as_data(CheckSettings(str(tmp_path)), seen, findings_of(seen, CheckLimits(smallest=16)))
    assert [len(names) for names in told["clusters"]] == [10_000]
    assert max(len(finding["with_it"]) for finding in told["findings"]) == 1
    assert as_page(CheckSettings(str(tmp_path)), seen, findings_of(seen, CheckLimits(smallest=16))).count("<figure>") == 12


def test_a_picture_is_said_to_be_like_another_only_where_it_is(tmp_path: Path) -> None:
    sides = {"small.png": (64, 0b1111), "between.png": (80, 0b0011), "large.png": (96, 0b0000)}
    seen = [Seen(tmp_path / name, name, Look(side, side, name), of_hashes(value)[0]) for name, (side, value) in sides.items()]
    found = {finding.name: finding for finding in findings_of(seen, CheckLimits(smallest=16, alike=2)) if finding.kind == "alike"}
    assert found["between.png"].what == "looks like large.png"
    assert found["between.png"].with_it == ("large.png",)
    assert found["small.png"].what == "looks like between.png, and that, step by step, like large.png"
    assert found["small.png"].with_it == ("between.png", "large.png")
    assert clusters_in(found.values()) == [["large.png", "small.png", "between.png"]]


def test_crops_are_those_of_the_training(folder: Path) -> None:
    settings = CheckSettings(str(folder), resolution=1024)
    files = [(folder / "wide.png", "wide.png")]
    Image.new("RGB", (4000, 1000), "red").save(folder / "wide.png")
    (one,) = see_all(files, settings, lambda done, total: None)
    assert one.fit == fit(4000, 1000, sizes_of(DataSettings(resolution=1024), 1024))
    assert one.fit is not None
    assert one.fit.bucket == (512, 2048)


def test_odd_colours_and_kinds_are_told(folder: Path) -> None:
    picture = photograph(20)
    picture.convert("L").save(folder / "grey.png")
    picture.quantize(64).save(folder / "palette.png")
    picture.convert("1").save(folder / "fax.png")
    Image.merge("LAB", photograph(21).split()).save(folder / "lab.tif")
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    (folder / "phone.jpg").write_bytes(b"\0\0\0\x18ftypmif1" + bytes(99))
    (folder / "new.jxl").write_bytes(b"\xff\x0a" + bytes(99))
    (folder / "no.jxl").write_bytes(bytes(99))
    found = {finding.name: finding for finding in checked_findings(folder) if finding.kind in ("odd", "broken")}
    assert {name: finding.kind for name, finding in found.items()} == {
        **dict.fromkeys(("grey.png", "palette.png", "fax.png", "lab.tif"), "odd"),
        **dict.fromkeys(("phone.heic", "phone.jpg", "new.jxl", "no.jxl"), "broken"),
    }
    assert found["lab.tif"].what == mistakes.LAB.what
    assert found["phone.jpg"].what == f"{mistakes.UNKNOWN_KIND.what} (HEIC)"
    assert found["new.jxl"].what == f"{mistakes.UNKNOWN_KIND.what} (JPEG XL)"
    assert mistakes.BROKEN.what in found["no.jxl"].what


def test_a_folder_of_grey_pictures_is_none_of_odd_ones(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        with Image.open(path) as picture:
            grey = picture.convert("L")
        grey.save(path)
    assert checked(folder) == {}


def test_the_folder_that_one_is_in_can_be_checked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "in").mkdir()
    monkeypatch.chdir(folder / "in")
    page = folder.parent / "data-report" / "report.html"
    check(CheckSettings(".."), Report(io.StringIO()))
    monkeypatch.chdir(folder)
    out = io.StringIO()
    check(CheckSettings("."), Report(out))
    assert json.loads(out.getvalue().splitlines()[-1])["page"] == str(page)
    assert "<title>data</title>" in page.read_text("utf-8")


def test_where_the_report_goes_is_settled_before_anything_is_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.dataset.check.see_all", None)
    (folder.parent / "taken").write_text("no folder")
    with pytest.raises(BadFile, match="for the report cannot be made"):
        check(CheckSettings(str(folder), report=str(folder.parent / "taken")), Report(io.StringIO()))
    monkeypatch.setattr("trainer.dataset.check.read_folder", lambda *args, **more: [Captioned(Path("/a.png"), Path("/a.txt"), "", "a.png")])
    with pytest.raises(BadRequest, match="Set report to a folder"):
        check(CheckSettings("/"), Report(io.StringIO()))


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
