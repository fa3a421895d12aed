"""Do the routes of data sets show a folder as it stands, edit it without losing anything, and keep clients where they may be?"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from lib_extension.captions.contradictions import Contradiction, write
from lib_extension.captions.files import read_folder
from lib_extension.captions.journal import journal_of
from lib_extension.formats.clip_tokens import count_tokens
from lib_extension.jobs import jobs_at
from lib_extension.jobs.kind import Around
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


def ask(server: Served, path: str, status: int = 200, **body: Any) -> Any:
    return server.json("POST", f"/dataset/{path}", status, json=body)


def look(server: Served, folder: Path, **more: Any) -> Any:
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


def test_tokens_are_those_that_a_training_reads(server: Served, folder: Path):
    (folder / "1.txt").write_text("a (red:1.3) mug AND a bowl BREAK <lora:x:1>")
    text, plain = "a (red:1.3) mug AND a bowl BREAK <lora:x:1>", "a red mug"
    assert look(server, folder)["pictures"][0]["tokens"] == count_tokens(text) > count_tokens(plain)


def test_what_is_in_all_captions_is_told(server: Served, folder: Path):
    told = look(server, folder, trigger="sks", size=1)
    assert told["counts"] == {
        "captions": 4,
        "empty": 1,
        "tags": [["mug", 2], ["red", 2], ["sks", 2], ["blue", 1], ["bowl", 1]],
        "different": 5,
    }
    assert told["balance"] == [["", 3, 0], ["in", 1, 0]]
    assert told["fused"] == []
    for name in ("3", "4"):
        (folder / f"{name}.png").write_bytes((folder / "1.png").read_bytes())
        (folder / f"{name}.txt").write_text("sks, mug")
    assert look(server, folder, trigger="sks")["fused"] == [["mug", 1.0]]
    assert look(server, folder, nested=False)["total"] == 5


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"has": ["mug"]}, ["1.png", "2.png"]),
        ({"has": ["mug"], "lacks": ["red"]}, ["2.png"]),
        ({"has": ["bowl", "blue"], "match": "any"}, ["2.png", "10.png"]),
        ({"text": "BOWL"}, ["10.png"]),
        ({"pattern": "^sks.*mug$"}, ["1.png", "2.png"]),
        ({"similar": "1.png", "alike": 0}, ["1.png", "2.png", "10.png", "in/a.png"]),
        ({"contradicted": True}, []),
    ],
)
def test_filters(server: Served, folder: Path, wanted: dict[str, Any], found: list[str]):
    told = look(server, folder, filter=wanted)
    assert (names(told), told["matching"], told["total"]) == (found, len(found), 4)


def test_pictures_that_look_alike(server: Served, folder: Path):
    noise = Image.effect_noise((64, 64), 90)
    noise.save(folder / "noise.png")
    noise.resize((200, 150)).convert("RGB").save(folder / "noise-large.jpg")
    (folder / "broken.png").write_bytes(b"\x89PNG")
    assert names(look(server, folder, filter={"similar": "noise.png"})) == ["noise-large.jpg", "noise.png"]
    for name, why in (("none.png", "no picture of the folder"), ("broken.png", "cannot be read")):
        assert why in ask(server, "pictures", 422, folder=str(folder), filter={"similar": name})["detail"]


def test_the_order_may_be_chosen(server: Served, folder: Path):
    assert names(look(server, folder, sort="caption")) == ["in/a.png", "10.png", "2.png", "1.png"]
    assert names(look(server, folder, sort="tags")) == ["in/a.png", "10.png", "1.png", "2.png"]


def test_an_edit_is_shown_made_and_taken_back_to_the_byte(server: Served, folder: Path):
    before = captions_in(folder)
    body = {
        "folder": str(folder),
        "filter": {"has": ["mug"]},
        "edits": [{"kind": "add", "tags": ["ünï"]}, {"kind": "remove", "tags": ["sks"]}],
    }
    told = ask(server, "preview", **body)
    assert told["changes"] == 2
    assert told["differences"][0] == {"name": "1.png", "before": "sks, red, mug", "after": "red, mug, ünï"}
    assert captions_in(folder) == before
    assert ask(server, "edit", **body) == {"done": 2, "refused": [], "title": 'add "ünï"; remove "sks"'}
    assert captions_in(folder) == before | {"1.txt": "red, mug, ünï\n".encode(), "2.txt": "blue, mug, ünï\n".encode()}
    (entry,) = look(server, folder)["history"]
    assert (entry["number"], entry["title"], entry["files"], entry["undone"]) == (1, 'add "ünï"; remove "sks"', 2, False)
    assert ask(server, "undo", folder=str(folder)) == {"done": 2, "refused": [], "title": 'add "ünï"; remove "sks"'}
    assert captions_in(folder) == before
    assert look(server, folder)["history"][0]["undone"] is True
    assert "no edit to take back" in ask(server, "undo", 404, folder=str(folder))["detail"]


def test_a_selection_stands_for_itself(server: Served, folder: Path):
    (folder / "1.jpg").write_bytes((folder / "1.png").read_bytes())  # they have a caption between them
    body = {"folder": str(folder), "edits": [{"kind": "set", "text": "new"}], "filter": {"has": ["mug"]}}
    told = ask(server, "edit", names=["10.png", "gone.png", "1.png"], **body)
    assert told["done"] == 1
    assert [name for name, _ in told["refused"]] == ["gone.png", "1.png"]
    assert (folder / "10.txt").read_text("utf-8") == "new\n"
    shown = {one["name"]: one["problem"] for one in look(server, folder)["pictures"]}
    assert not shown["1.jpg"]
    assert "have the caption 1.txt between them" in shown["1.png"]


def test_one_caption_is_written_by_one_of_two_people(server: Served, folder: Path):
    before = captions_in(folder)
    seen: dict[str, Any] = {"folder": str(folder), "name": "1.png", "before": "sks, red, mug"}
    told = ask(server, "caption", **seen, text=" by Ann ")
    assert (told["done"], told["refused"], told["picture"]["caption"]) == (1, [], "by Ann")
    late = ask(server, "caption", 409, **seen, text="by Bob")
    assert (late["error"], late["caption"]) == ("Stale", "by Ann")
    assert (folder / "1.txt").read_bytes() == b"by Ann\n"
    (folder / "1.txt").write_text("by another program")
    assert ask(server, "caption", 409, **seen, text="by Bob")["caption"] == "by another program"
    assert ask(server, "undo", folder=str(folder))["refused"] == [["1.txt", "It was changed after the edit, and stays as it is now."]]
    ask(server, "caption", folder=str(folder), name="in/a.png", before="", text="first")
    assert (folder / "in" / "a.txt").read_bytes() == b"first\n"
    ask(server, "undo", folder=str(folder))
    assert captions_in(folder) == before | {"1.txt": b"by another program"}
    ask(server, "caption", 404, folder=str(folder), name="none.png", before="", text="x")


def test_captions_of_five_thousand_tags_and_names_of_all_letters(server: Served, folder: Path):
    tags = [f"tag {number}" for number in range(5000)]
    for name, caption in (("e\u0301té", "\u00e9te\u0301"), ("📷 ☕", "📷 ☕")):
        (folder / f"{name}.png").write_bytes((folder / "1.png").read_bytes())
        (folder / f"{caption}.txt").write_text(", ".join(tags), "utf-8")
    before = captions_in(folder)
    told = look(server, folder, filter={"has": ["tag 4999"]})
    assert {one["name"] for one in told["pictures"]} == {"e\u0301té.png", "📷 ☕.png"}
    assert all(one["tags"] == tags and one["tokens"] > 225 for one in told["pictures"])
    assert (len(told["counts"]["tags"]), told["counts"]["different"]) == (500, 5005)
    rare = ask(server, "tags", folder=str(folder), text=" TAG 499")
    assert (rare["matching"], rare["tags"][0]) == (11, ["tag 499", 2])
    assert ["tag 4999", 2] in rare["tags"]
    assert len(ask(server, "tags", folder=str(folder))["tags"]) == 500
    assert ask(server, "edit", folder=str(folder), filter={"has": ["tag 7"]}, edits=[{"kind": "remove", "tags": ["tag 7"]}])["done"] == 2
    for one in told["pictures"]:
        shown = server.client.get("/atelier/v1/dataset/picture", params={"folder": str(folder), "name": one["name"]})
        assert shown.status_code == 200
    ask(server, "undo", folder=str(folder))
    assert captions_in(folder) == before


def test_a_folder_with_links_in_a_circle(server: Served, folder: Path):
    (folder / "in" / "round").symlink_to(folder)
    (folder / "ends.png").symlink_to(folder / "nowhere.png")
    assert look(server, folder)["total"] == 4


def test_a_picture_is_shown_small_and_kept(server: Served, folder: Path):
    def shown(headers: dict[str, str] | None = None, **params: Any) -> httpx.Response:
        return server.client.get("/atelier/v1/dataset/picture", params={"folder": str(folder), **params}, headers=headers)

    (one, *_) = look(server, folder)["pictures"]
    assert (one["width"], one["height"]) == (40, 30)
    first = shown(name="1.png")
    assert Image.open(io.BytesIO(first.content)).size == (40, 30)
    assert first.headers["cache-control"] == "private, no-cache"
    assert "immutable" in shown(name="1.png", changed=one["changed"]).headers["cache-control"]
    again = shown({"If-None-Match": first.headers["etag"]}, name="1.png")
    assert (again.status_code, again.content) == (304, b"")
    Image.new("RGB", (600, 20)).save(folder / "1.png")
    now = shown({"If-None-Match": first.headers["etag"]}, name="1.png")
    assert Image.open(io.BytesIO(now.content)).width == 256
    (folder / "2.png").write_bytes(b"\x89PNG")
    assert (shown(name="2.png").status_code, shown(name="2.png", size=5000).status_code) == (422, 422)
    (folder / "private.txt").write_text("secret")
    for name in ("../mugs/1.png", "/etc/passwd", "in/../1.png", "", ".", "none.png", "1.png\0", "..\\1.png", "in", "./1.png"):
        assert shown(name=name).status_code == 404, name
    assert shown(name="private.txt").status_code == 404
    turned = Image.new("RGB", (40, 30))
    turned.getexif()[0x0112] = 6
    turned.save(folder / "2.jpg", exif=turned.getexif())
    told = {one["name"]: (one["width"], one["height"]) for one in look(server, folder)["pictures"]}
    assert told["2.jpg"] == (30, 40)


def test_what_the_tagger_contradicts_is_told(server: Served, folder: Path):
    captions = {one.name: one for one in read_folder(folder)}
    found = Contradiction((("red", 0.01),), (("blue", 0.95),))
    write(journal_of(server.session.home.folder, folder).folder, [(captions["1.png"], found), (captions["2.png"], found)])
    told = look(server, folder, filter={"contradicted": True})
    assert names(told) == ["1.png", "2.png"]
    assert told["pictures"][0]["contradicted"] == {"unseen": [["red", 0.01]], "unsaid": [["blue", 0.95]]}
    ask(server, "caption", folder=str(folder), name="1.png", before="sks, red, mug", text="sks, blue, mug")
    assert names(look(server, folder, filter={"contradicted": True})) == ["2.png"]
    assert look(server, folder)["pictures"][0]["contradicted"] is None


def test_captions_go_to_other_programs_and_come_back(server: Served, folder: Path, tmp_path: Path):
    into = tmp_path / "out"
    told = ask(server, "export", folder=str(folder), filter={"has": ["mug"]}, export={"into": str(into), "form": "metadata.jsonl"})
    assert (told, len((into / "metadata.jsonl").read_text("utf-8").splitlines())) == ({"written": 2, "into": str(into), "refused": []}, 2)
    assert "is not empty" in ask(server, "export", 422, folder=str(folder), export={"into": str(into)})["detail"]
    ask(server, "export", 422, folder=str(folder), export={"into": "relative"})
    file = tmp_path / "captions.json"
    file.write_text(json.dumps({"1.png": {"tags": "new"}, "gone.png": {"tags": "x"}, "2.png": {"tags": "sks, blue, mug"}}))
    body: dict[str, Any] = {"folder": str(folder), "file": str(file)}
    shown = ask(server, "read", **body, preview=True)
    assert (shown["changes"], shown["differences"][0]["after"]) == (1, "new")
    told = ask(server, "read", **body)
    assert told == {"done": 1, "refused": [["gone.png", "It is no picture of the folder."]], "title": "read captions.json"}
    assert (folder / "1.txt").read_bytes() == b"new\n"
    ask(server, "read", 422, folder=str(folder), file=str(folder / "1.png"))
    ask(server, "read", 422, folder=str(folder), file=str(tmp_path / "none.json"))


def test_the_page_begins_where_it_was_left(server: Served, folder: Path):
    told = server.json("GET", "/dataset")
    assert isinstance(told, dict)
    assert (told["recent"], told["draft"]) == ([], {})
    assert told["forms"]["edits"].keys() == {"add", "remove", "replace", "text", "sort", "tidy", "set"}
    assert "similar" in told["forms"]["filter"]["properties"]
    look(server, folder / "in")
    look(server, folder)
    look(server, folder / "in")
    server.json("PUT", "/dataset/draft", json={"folder": str(folder), "filter": {"has": 3}})
    told = server.json("GET", "/dataset")
    assert isinstance(told, dict)
    assert told["recent"] == [str(folder / "in"), str(folder)]
    assert told["draft"]["filter"] == {"has": 3}
    server.json("PUT", "/dataset/draft", 422, json={"folder": "x" * 2**20})


def test_clients_of_other_machines_stay_inside(server: Served, folder: Path, tmp_path: Path):
    jobs = jobs_at(server.session.home.jobs)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.png").write_bytes((folder / "1.png").read_bytes())
    (folder / "link").symlink_to(outside)
    jobs.around = Around(tmp_path, None, (folder,))
    assert look(server, folder)["total"] == 4
    edit = {"edits": [{"kind": "tidy"}]}
    for path, more in (
        ("pictures", {}),
        ("preview", edit),
        ("edit", edit),
        ("undo", {}),
        ("caption", {"name": "x.png", "before": "", "text": "x"}),
    ):
        for where in (outside, folder / "link", folder / ".." / "outside"):
            assert "outside of the folders" in ask(server, path, 422, folder=str(where), **more)["detail"], path
    inside = {"folder": str(folder)}
    ask(server, "export", 422, **inside, export={"into": str(tmp_path / "out")})
    ask(server, "read", 422, **inside, file="/etc/passwd")
    ask(server, "caption", 404, **inside, name="link/x.png", before="", text="x")
    for params in ({"folder": str(outside), "name": "x.png"}, {"folder": str(folder), "name": "link/x.png"}):
        assert server.client.get("/atelier/v1/dataset/picture", params=params).status_code in (404, 422)
    assert [path.name for path in outside.iterdir()] == ["x.png"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"folder": ""},
        {"folder": "\0"},
        {"folder": "mugs"},
        {"folder": "~nobody-here/x"},
        {"folder": "/" + "x" * 5000},
        {"folder": 3},
        {"folder": "/tmp", "filter": {"pattern": "("}},
        {"folder": "/tmp", "filter": {"has": "red"}},
        {"folder": "/tmp", "size": 1000},
        {"folder": "/tmp", "page": -1},
        {"folder": "/tmp", "ending": ".doc"},
        {"folder": "/tmp", "edits": []},
    ],
)
def test_nonsense_is_refused_in_words(server: Served, body: dict[str, Any]):
    for path in ("pictures", "edit", "caption", "export", "read"):
        answer = server.client.post(f"/atelier/v1/dataset/{path}", json=body)
        assert answer.status_code in (404, 422), (path, answer.text[:300])
        assert answer.json()["detail"]


def test_pages_of_other_sites_are_refused(server: Served, folder: Path):
    before = captions_in(folder)
    body = {"folder": str(folder), "edits": [{"kind": "set", "text": "gone"}]}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert server.client.post("/atelier/v1/dataset/edit", json=body, headers=headers).status_code == 403
    assert captions_in(folder) == before


def test_what_was_read_is_not_read_again(server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder, opened = tmp_path / "many", []
    folder.mkdir()
    for number in range(1000):
        (folder / f"{number}.png").write_bytes(b"")
        (folder / f"{number}.txt").write_text(f"tag {number % 50}, tag {number % 49}, all")
    look(server, folder)
    monkeypatch.setattr("lib_extension.captions.shelf.captioned", opened.append)
    assert look(server, folder, filter={"has": ["tag 3"]}, size=200, trigger="tag 4")["matching"] > 30
    assert not opened
