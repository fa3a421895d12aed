from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from lib_extension.runs.storage import ReadOnly
from lib_extension.session.asked import Asked
from lib_extension.session.session import Session
from tests.runs.stub_backend import running_stub
from tests.runs.workshop import recipe
from tests.session.rooms import carry_out, places, room

EXPORT = recipe(
    {"id": "base", "type": "txt2img", "prompt": "a watch {place}"},
    {"id": "out", "type": "export", "takes": "base", "format": "WEBP", "sizes": [{"width": 32}, {"width": 16}]},
    rows=[{"place": "here"}, {"place": "there"}],
)


def hashes(folder: Path) -> dict[str, str]:
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != "manifest.json"]
    return {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_files_stand_by_stage_item_and_candidate_and_the_manifest_tells_their_hashes(tmp_path: Path):
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        run = carry_out(session, Asked(recipe=places()), {1: [1, 2], 2: [2]})
        session.write_outputs(run, tmp_path / "out")
    found = hashes(tmp_path / "out")
    base = [f"01-base/{item}-{number}.png" for item in ("001", "002") for number in (1, 2)]
    assert sorted(found) == [*base, "03-refine/001-1.png", "03-refine/001-2.png", "03-refine/002-1.png"]
    told = json.loads((tmp_path / "out/manifest.json").read_text())
    assert {file["file"]: file["sha256"] for file in told["files"]} == found
    assert told["recipe"]["name"] == "test"


def test_an_export_keeps_its_manifest_true_and_its_neighbours_tell_the_rest(tmp_path: Path):
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        run = carry_out(session, Asked(recipe=EXPORT))
        session.write_outputs(run, tmp_path / "out")
        picture = next((tmp_path / "out/02-out").glob("*.webp"))
        assert session.restorer.of_file(picture).lineage.stage == "out"
        picture.with_name(f"{picture.name}.json").unlink()
        assert session.restorer.of_file(picture).where == "the ledger"
    told = json.loads((tmp_path / "out/02-out/manifest.json").read_text())
    assert len(told["files"]) == 4
    for entry in told["files"]:
        data = (tmp_path / "out/02-out" / entry["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]


def test_each_exported_picture_tells_its_own_item(tmp_path: Path):
    export = {"id": "out", "type": "export", "takes": "base", "name": "{place} {index}", "sizes": [{"width": 32}, {"width": 16}]}
    rows = [{"place": "there"}, {"place": "here"}]
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        base = {"id": "base", "type": "txt2img", "prompt": "a watch {place}", "seed": 5, "batch_size": 2}
        run = carry_out(session, Asked(recipe=recipe(base, export, rows=rows)))
        session.write_outputs(run, tmp_path / "out")
        pictures = sorted((tmp_path / "out/02-out").glob("*.png"))
        assert len(pictures) == 8
        for picture in pictures:
            told = session.restorer.of_file(picture).lineage
            assert picture.name.startswith(told.item["place"])
            assert rows[told.items[0]] == told.item
            assert told.seed == 5 + told.index % 2


def test_an_exports_manifest_alone_says_how_a_picture_was_made(tmp_path: Path):
    stages = [
        {"id": "scene", "type": "txt2img", "prompt": "a beach", "seed": 11},
        {"id": "product", "type": "img2img", "takes": "scene", "seed": 23, "batch_size": 3, "denoising_strength": 0.5},
        {"id": "pick", "type": "review", "takes": "product", "scores": [{"kind": "sharpness"}], "auto": "top 2"},
        {"id": "print", "type": "upscale", "takes": "pick", "upscaler": "Lanczos", "scale": 2},
        {"id": "out", "type": "export", "takes": "print", "name": "{index}"},
        {"id": "silent", "type": "export", "takes": "print", "name": "{index}", "metadata": False},
    ]
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        run = carry_out(session, Asked(recipe=recipe(*stages)))
        assert run.state == "done", run.message
        review = next(node for node in session.ledger.nodes(run.id) if node.stage == "pick")
        judged = session.ledger.results.get(review.key)
        chosen = session.ledger.runs.choices(run.id)[review.key]
        session.write_outputs(run, tmp_path / "out")
        session.write_outputs(run, tmp_path / "private", private=True)
    assert judged is not None
    told = json.loads((tmp_path / "out/05-out/manifest.json").read_text())
    assert [entry["seeds"] for entry in told["files"]] == [{"product": [23 + place], "scene": [11]} for place in chosen]
    assert [entry["scores"] for entry in told["files"]] == [{"pick": [dict(judged.pictures[place].facts)]} for place in chosen]
    assert (told["run"], told["recipe"]["name"]) == (run.id, "test")
    for hidden in ("out/06-silent/manifest.json", "private/05-out/manifest.json"):
        text = (tmp_path / hidden).read_text()
        assert not any(word in text for word in ('"seeds"', '"scores"', '"recipe"')), hidden


def test_no_file_of_an_export_takes_the_place_of_another_one(tmp_path: Path):
    """Two exports of one run with the same names, and an export of each item whose names do not tell the items apart."""
    exports = [
        {"id": "print", "type": "export", "takes": "base", "name": "{index}"},
        {"id": "Print", "type": "export", "takes": "base", "name": "{index}", "sizes": [{"width": 16}]},
        {"id": "each", "type": "export", "takes": "base", "name": "{index}", "scope": "item"},
    ]
    base = {"id": "base", "type": "txt2img", "prompt": "a watch {place}"}
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        run = carry_out(session, Asked(recipe=recipe(base, *exports, rows=[{"place": "here"}, {"place": "there"}])))
        names = session.write_outputs(run, tmp_path / "out")
    assert len({name.casefold() for name in names}) == len(names)
    assert {name for name in names if name.endswith(".png") and "base" not in name} == {
        *("02-print/0.png", "02-print/0-2.png", "03-Print/0.png", "03-Print/0-2.png", "04-each/001/0.png", "04-each/002/0.png"),
    }
    for folder in ("02-print", "03-Print", "04-each/001", "04-each/002"):
        for entry in json.loads((tmp_path / "out" / folder / "manifest.json").read_text())["files"]:
            data = (tmp_path / "out" / folder / entry["file"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == entry["sha256"]


def test_a_private_export_tells_only_what_the_files_are(tmp_path: Path):
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        session.write_outputs(carry_out(session, Asked(recipe=EXPORT)), tmp_path / "out", private=True)
    told = json.loads((tmp_path / "out/02-out/manifest.json").read_text())
    assert {key for entry in told["files"] for key in entry} == {"file", "sha256", "width", "height"}
    everything = b"".join(file.read_bytes() for file in (tmp_path / "out").rglob("*") if file.is_file())
    assert b"a watch" not in everything
    assert "a watch".encode("utf-16-be") not in everything
    assert not list((tmp_path / "out").rglob("*.webp.json"))


def test_what_is_not_made_any_more_goes_and_what_somebody_changed_stays(tmp_path: Path):
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        run = carry_out(session, Asked(recipe=places()), {1: [1, 2], 2: [1, 2]})
        session.write_outputs(run, tmp_path / "out")
        (tmp_path / "out/03-refine/002-2.png").write_bytes(b"mine")
        other = carry_out(session, Asked(recipe=places()), None)
        _choose_again(session, other.id)
        session.write_outputs(session.ledger.runs.get(other.id), tmp_path / "out")
    refined = sorted(file.name for file in (tmp_path / "out/03-refine").iterdir())
    assert refined == ["001-1.png", "002-1.png", "002-2.png"]
    assert (tmp_path / "out/03-refine/002-2.png").read_bytes() == b"mine"


def _choose_again(session: Session, run_id: str) -> None:
    """One picture of each item where two were chosen before."""
    for node in session.ledger.nodes(run_id):
        if node.stage == "pick":
            session.runner.choose(run_id, node.key, [0])
    session.runner.start(run_id)
    session.runner.wait(run_id, 60)


def test_a_manifest_of_another_hand_deletes_nothing_outside(tmp_path: Path):
    outside = tmp_path / "outside.png"
    outside.write_bytes(b"x")
    (tmp_path / "out").mkdir()
    entry = {"file": "../outside.png", "sha256": hashlib.sha256(b"x").hexdigest()}
    (tmp_path / "out/manifest.json").write_text(json.dumps({"files": [entry]}))
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        session.write_outputs(carry_out(session, Asked(recipe=EXPORT)), tmp_path / "out")
    assert outside.read_bytes() == b"x"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="everything is writable here")
def test_a_read_only_folder_says_so(tmp_path: Path):
    (tmp_path / "out").mkdir(mode=0o500)
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        run = carry_out(session, Asked(recipe=EXPORT))
        with pytest.raises(ReadOnly, match="The output folder"):
            session.write_outputs(run, tmp_path / "out")
