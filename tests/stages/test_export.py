"""Files to hand on: their sizes, formats, names, what is told in them, and the manifest."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_extension.pictures.png import encode_png, open_picture, read_text_chunks
from lib_extension.spec.errors import BadRequest
from lib_extension.stages import STAGES
from lib_extension.stages.stage import Picture
from tests.stages.painting import photo, pixels, run, stage


def labels(*places: str, **more: Any) -> tuple[dict[str, Any], ...]:
    return tuple({"item": n, "product": "watch", "place": place, "stage": "base", "index": n % 2, **more} for n, place in enumerate(places))


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_pictures_pass_as_they_are():
    outcome = run(stage("export"), photo(20, 20), photo(20, 20, 1), labels=labels("beach", "forest"))
    assert [pixels(picture).tolist() for picture in outcome.pictures] == [pixels(photo(20, 20)).tolist(), pixels(photo(20, 20, 1)).tolist()]
    assert STAGES["export"].count(stage("export"), 5) == 5


def test_files_and_manifest():
    outcome = run(stage("export"), photo(20, 30), photo(40, 20, 1), labels=labels("beach", "forest"))
    assert set(outcome.files) == {"beach-base-0.png", "forest-base-1.png", "manifest.json"}
    assert np.array_equal(pixels(opened(outcome.files["forest-base-1.png"])), pixels(photo(40, 20, 1)))
    told = json.loads(outcome.files["manifest.json"])
    assert told["stage"] == "s"
    assert told["files"][1] == {
        "file": "forest-base-1.png",
        "width": 40,
        "height": 20,
        "sha256": hashlib.sha256(outcome.files["forest-base-1.png"]).hexdigest(),
        "made_from": hashlib.sha256(outcome.pictures[1].png).hexdigest(),
        "variables": {"item": 1, "product": "watch", "place": "forest", "stage": "base", "index": 1},
        "seed": 3,
        "infotext": "a photograph",
        "facts": {},
    }


def test_the_same_export_is_the_same_to_the_bit():
    exports = [run(stage("export", format=kind), photo(20, 30), labels=labels("beach")) for kind in ("PNG", "JPEG", "WEBP") for _ in "12"]
    assert [exports[n].files == exports[n + 1].files for n in (0, 2, 4)] == [True] * 3


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ({"width": 30}, (30, 15)),
        ({"height": 30}, (60, 30)),
        ({"width": 30, "height": 30}, (30, 15)),
        ({"width": 30, "height": 30, "fit": "crop"}, (30, 30)),
        ({"width": 30, "height": 31, "fit": "pad"}, (30, 31)),
        ({"width": 30, "height": 31, "fit": "stretch"}, (30, 31)),
    ],
)
def test_sizes(size: dict[str, Any], wanted: tuple[int, int]):
    outcome = run(stage("export", sizes=[size], background="lime"), photo(80, 40))
    (image,) = (opened(content) for name, content in outcome.files.items() if name.endswith(".png"))
    assert image.size == wanted
    if size.get("fit") == "pad":
        assert image.getpixel((15, 0)) == image.getpixel((15, 30)) == (0, 255, 0)
        inner = photo(80, 40).resize((30, 15), Image.Resampling.LANCZOS)
        assert np.array_equal(pixels(image)[8:23], pixels(inner))


def test_several_sizes_have_their_names():
    sizes = [{"name": "web", "width": 40}, {"width": 20}]
    outcome = run(stage("export", sizes=sizes, name="{place}", manifest=False), photo(80, 40), labels=labels("beach"))
    assert set(outcome.files) == {"beach-web.png", "beach-20x10.png"}
    outcome = run(stage("export", sizes=sizes, name="{size}/{place}", manifest=False), photo(80, 40), labels=labels("beach"))
    assert set(outcome.files) == {"web/beach.png", "20x10/beach.png"}


@pytest.mark.parametrize(
    ("name", "places", "files"),
    [
        ("{place}", ["a", "A", "a"], ["a.png", "A-2.png", "a-3.png"]),
        ("{place}", ["../x", "a/b", "con"], ["_x.png", "a_b.png", "con_.png"]),
        ("{product}/{number}", ["a", "b", "c"], ["watch/1.png", "watch/2.png", "watch/3.png"]),
        ("manifest", ["a"], ["manifest.png"]),
        ("{width}x{height} {seed}", ["a"], ["20x20 3.png"]),
    ],
)
def test_names(name: str, places: list[str], files: list[str]):
    outcome = run(stage("export", name=name), *[photo(20, 20)] * len(places), labels=labels(*places))
    assert [path for path in outcome.files if path != "manifest.json"] == files


@pytest.mark.parametrize(("kind", "ending"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
def test_how_it_was_made_stands_where_the_webui_reads_it(kind: str, ending: str):
    infotext = "a watch, späť 海\nSteps: 20, Seed: 7"
    picture = Picture(encode_png(photo(20, 20), infotext), infotext, 7)
    outcome = run(stage("export", format=kind, name="x"), picture)
    content = outcome.files[f"x.{ending}"]
    assert opened(content).format == kind
    assert read_text_chunks(open_picture(content, what="x"))["parameters"] == infotext


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_nothing_is_told_without_metadata(kind: str):
    picture = Picture(encode_png(photo(20, 20), "secret prompt", {"more": "secret"}), "secret prompt", 7)
    outcome = run(stage("export", format=kind, name="x", metadata=False), picture)
    assert not any(b"secret" in content for content in outcome.files.values())
    assert "seed" not in json.loads(outcome.files["manifest.json"])["files"][0]


def test_an_infotext_that_a_jpeg_cannot_hold_stays_in_the_manifest():
    infotext = "word " * 20_000
    outcome = run(stage("export", format="JPEG", name="x"), Picture(encode_png(photo(20, 20)), infotext, 7))
    assert read_text_chunks(open_picture(outcome.files["x.jpg"], what="x")) == {}
    assert json.loads(outcome.files["manifest.json"])["files"][0]["infotext"] == infotext


def test_a_jpeg_has_the_background_where_it_was_transparent():
    drawing = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    (jpeg,) = run(stage("export", format="JPEG", background="#0000ff", manifest=False), drawing).files.values()
    assert np.abs(pixels(opened(jpeg)) - (0, 0, 255)).max() <= 3
    (png,) = run(stage("export", manifest=False), drawing).files.values()
    assert opened(png).mode == "RGBA"


def test_quality_counts_and_100_is_without_loss_for_webp():
    def webp(quality: int) -> bytes:
        (content,) = run(stage("export", format="WEBP", quality=quality, manifest=False, metadata=False), photo(64, 64)).files.values()
        return content

    assert len(webp(20)) < len(webp(90))
    assert np.array_equal(pixels(opened(webp(100))), pixels(photo(64, 64)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sizes": [{}]}, 'needs "width", "height" or both'),
        ({"sizes": [{"width": 5, "fit": "crop"}]}, 'fit "crop" needs both'),
        ({"sizes": [{"width": 16000, "height": 16000}]}, "64 megapixels is the most"),
        ({"format": "JPG"}, 'Did you mean "JPEG"'),
        ({"name": " "}, '"name" is empty'),
        ({"background": "x"}, "is no colour"),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], message: str):
    with pytest.raises(BadRequest, match=message):
        stage("export", **settings)


def test_sizes_that_a_format_or_a_file_cannot_hold():
    with pytest.raises(BadRequest, match="WEBP holds no picture of 16384×4"):
        run(stage("export", format="WEBP", sizes=[{"width": 16384, "height": 4, "fit": "stretch"}]), photo(20, 20))
    with pytest.raises(BadRequest, match="would become 16000×16000; 64 megapixels"):
        run(stage("export", sizes=[{"width": 16000}]), photo(20, 20))
