from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from PIL import Image

from lib_extension.pictures.png import encode_png
from lib_extension.session.thumbnails import SIZES, Thumbnails
from tests.api.serving import Served


def stored(server: Served, image: Image.Image, text: str | None = None) -> str:
    told: Any = server.json("POST", "/pictures", 201, content=encode_png(image, text))
    return told["id"]


@pytest.mark.parametrize(("asked", "longest"), [(64, 64), (65, 128), (256, 256), (300, 384), (1024, 1024)])
def test_a_thumbnail_has_the_next_of_a_few_sizes_and_the_picture_s_proportions(server: Served, asked: int, longest: int):
    id = stored(server, Image.new("RGB", (2000, 1000), "teal"))
    answer = server.client.get(f"/atelier/v1/pictures/{id}/thumbnail", params={"size": asked})
    assert answer.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(answer.content)).size == (longest, longest // 2)
    assert "immutable" in answer.headers["cache-control"]
    again = server.client.get(
        f"/atelier/v1/pictures/{id}/thumbnail", params={"size": asked}, headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304


def test_small_pictures_are_not_enlarged_and_stay_transparent(server: Served):
    id = stored(server, Image.new("RGBA", (20, 10)))
    image = Image.open(io.BytesIO(server.client.get(f"/atelier/v1/pictures/{id}/thumbnail").content))
    assert (image.size, image.mode, image.convert("RGBA").getpixel((3, 3))[3]) == ((20, 10), "RGBA", 0)  # pyright: ignore[reportIndexIssue, reportOptionalSubscript]


def test_thumbnails_are_made_once_and_hold_no_information(server: Served, monkeypatch: pytest.MonkeyPatch):
    id = stored(server, Image.effect_noise((300, 300), 50).convert("RGB"), "a secret\nSteps: 1, Sampler: Euler, Seed: 1")
    first = server.client.get(f"/atelier/v1/pictures/{id}/thumbnail").content
    assert b"secret" not in first
    monkeypatch.setattr("lib_extension.session.thumbnails.drawn", lambda data, size: pytest.fail("made twice"))
    assert server.client.get(f"/atelier/v1/pictures/{id}/thumbnail").content == first


def test_many_who_ask_for_one_at_once_all_get_it(server: Served):
    id = stored(server, Image.effect_noise((900, 900), 50).convert("RGB"))
    thumbnails = Thumbnails(server.session.home.thumbnails, server.session.blobs)
    got: list[bytes] = []
    threads = [threading.Thread(target=lambda: got.append(thumbnails.get(id, 512))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got)) == 1
    assert len(got) == 6
    assert [file.name for file in server.session.home.thumbnails.glob("*/*")] == [f"{id}-512"]


@pytest.mark.parametrize(
    "path", ["zz/thumbnail", "..%2f..%2fledger.db/thumbnail", "../ledger.db/thumbnail", f"{'0' * 64}/thumbnail", f"{'0' * 64}"]
)
def test_what_is_no_picture_has_no_thumbnail(server: Served, path: str):
    assert server.client.get(f"/atelier/v1/pictures/{path}").status_code == 404


@pytest.mark.parametrize("size", ["0", "63", "1025", "-1", "x", "1e2", "99999999999999999999", "٣٠٠"])
def test_sizes_out_of_range_are_refused(server: Served, size: str):
    id = stored(server, Image.new("RGB", (8, 8)))
    server.json("GET", f"/pictures/{id}/thumbnail", 422, params={"size": size})


def test_a_blob_that_is_no_picture_is_refused(server: Served):
    id = server.session.blobs.put(b"<script>alert(1)</script>")
    server.json("GET", f"/pictures/{id}/thumbnail", 422)
    server.json("GET", f"/pictures/{id}/infotext", 422)
    answer = server.client.get(f"/atelier/v1/pictures/{id}")
    assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == ("application/octet-stream", "nosniff")


def test_infotexts_are_told(server: Served):
    id = stored(server, Image.new("RGB", (8, 8)), "a ring\nSteps: 1, Sampler: Euler, Seed: 1")
    assert server.json("GET", f"/pictures/{id}/infotext") == {"infotext": "a ring\nSteps: 1, Sampler: Euler, Seed: 1"}
    assert server.json("GET", f"/pictures/{stored(server, Image.new('RGB', (8, 8)))}/infotext") == {"infotext": ""}


def test_sizes_are_sorted():
    assert list(SIZES) == sorted(SIZES)
