"""Do the routes of data sets show a folder as it stands, edit it without losing anything, and keep clients where they may be?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.api.serving import Served

CAPTIONS = {"1": "sks, red, mug", "2": "sks, blue, mug", "10": "red, bowl", "in/a": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures, three of them with captions."""
    pictures = tmp_path / "mugs"
    for place, (name, caption) in enumerate(CAPTIONS.items()):
        file = pictures / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (60 * place, 90, 20)).save(file)
        if caption is not None:
            file.with_suffix(".txt").write_bytes(f"{caption}\r\n".encode("utf-16"))
    return pictures


def ask(server: Served, path: str, status: int = 200, **body: object) -> Any:
    return server.json("POST", f"/dataset/{path}", status, json=body)


def look(server: Served, folder: Path, **more: object) -> Any:
    return ask(server, "pictures", folder=str(folder), **more)


def names(told: Any) -> list[str]:
    return [one["name"] for one in told["pictures"]]


def captions_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.txt"))}


def test_a_folder_is_shown_by_pages(server: Served, folder: Path):
    told = look(server, folder, size=3, trigger="sks")
    assert (told["total"], told["matching"], told["page"], told["folder"]) == (4, 4, 0, str(folder))
    assert names(told) == ["1.png", "2.png", "10.png"]
    assert names(look(server, folder, size=3, page=1)) == ["in/a.png"]
    first = told["pictures"][0]
    assert (first["caption"], first["tags"], first["tokens"]) == ("sks, red, mug", ["sks", "red", "mug"], 5)
