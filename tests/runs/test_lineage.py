from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from lib_extension.formats.infotext import parse_infotext
from lib_extension.pictures.file_texts import png_texts, with_png_texts
from lib_extension.pictures.png import encode_png, open_picture, read_text_chunks
from lib_extension.runs.lineage import Lineage, lineage_in, lineage_text, read_lineage, with_lineage
from lib_extension.session.asked import Asked
from lib_extension.spec.errors import BadFile
from lib_extension.stages import load_recipe
from tests.runs.stub_backend import running_stub
from tests.session.rooms import DRAWING, carry_out, places, room

INFOTEXT = "a watch\nSteps: 4, Sampler: Euler, Seed: 7"
LINEAGE = Lineage(id="0123456789abcdef-1", stage="base", recipe={"name": "x"}, values={"thing": "é"})
PICTURE = Image.new("RGB", (8, 8), "red")


def test_a_png_tells_it_whole_and_its_infotext_the_id():
    data = with_lineage(encode_png(PICTURE, INFOTEXT), LINEAGE)
    assert lineage_in(data, "it") == LINEAGE
    assert parse_infotext(png_texts(data)["parameters"]) == {**parse_infotext(INFOTEXT), "Atelier": "0123456789abcdef-1"}


def test_a_picture_without_infotext_gets_none():
    assert "parameters" not in png_texts(with_lineage(encode_png(PICTURE), LINEAGE))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_other_kinds_tell_the_id(kind: str):
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x8769] = {0x9286: b"UNICODE\0" + INFOTEXT.encode("utf-16-be")}
    PICTURE.save(file, kind, exif=exif)
    texts = read_text_chunks(open_picture(with_lineage(file.getvalue(), LINEAGE), what="it"))
    assert parse_infotext(texts["parameters"])["Atelier"] == "0123456789abcdef-1"


def test_what_is_no_picture_is_left_alone():
    assert with_lineage(b"{}", LINEAGE) == b"{}"


@pytest.mark.parametrize("text", ["{", "[]", '{"form": 1}', '{"recipe": {}, "index": "x"}', "[" * 100_000])
def test_damaged_lineages_say_so(text: str):
    with pytest.raises(BadFile, match=r"it tells of its recipe is damaged"):
        read_lineage(text, "it")


def test_newer_lineages_say_so():
    with pytest.raises(BadFile, match="newer version"):
        read_lineage(lineage_text(dataclasses.replace(LINEAGE, form=2)), "it")


def test_any_output_makes_itself_again_without_a_single_call(tmp_path: Path):
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        export = {"id": "out", "type": "export", "takes": "refine", "format": "JPEG"}
        whole = places()
        whole = load_recipe(
            {"version": 1, "name": "test", "inputs": {"thing": {"type": "text"}, "drawing": {"type": "image"}}}
            | {
                "rows": list(whole.rows),
                "stages": [*whole.stages, {"id": "like", "type": "img2img", "takes": "drawing", "prompt": "x", **SHORT}, export],
            }
        )
        asked = Asked(recipe=whole, values={"thing": "ring"}, pictures={"drawing": DRAWING})
        run = carry_out(session, asked, {1: [2], 2: [1, 2]})
        assert run.state == "done", run.message
        names = session.write_outputs(run, tmp_path / "out")
        pictures = [tmp_path / "out" / name for name in names if name.endswith((".png", ".jpg"))]
        assert len(pictures) == 4 + 3 + 1 + 3
        calls = len(stub.calls)
        for file in pictures:
            lineage = session.restorer.of_file(file).lineage
            outlook = session.outlook(session.restorer.asked(lineage))
            assert {one.state for one in outlook.explained} == {"cached"}
            again = carry_out(session, session.restorer.asked(lineage))
            assert again.state == "done"
            assert session.write_outputs(again, tmp_path / "again") == names
            hashes = [{node.place: node.pictures for node in session.ledger.nodes(each.id)} for each in (run, again)]
            assert hashes[0] == hashes[1]
            assert lineage.key in {node.key for node in session.ledger.nodes(again.id)}
        assert len(stub.calls) == calls


SHORT = {"steps": 4, "sampler_name": "Euler", "scheduler": "Automatic", "seed": 7, "denoising_strength": 0.5}


def test_a_lineage_tells_seeds_models_keys_and_choices(tmp_path: Path):
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        run = carry_out(session, Asked(recipe=places()), {1: [2], 2: [1]})
        session.write_outputs(run, tmp_path / "out")
        lineage = session.restorer.of_file(tmp_path / "out" / "03-refine" / "002-1.png").lineage
        nodes = {node.place: node for node in session.ledger.nodes(run.id)}
    assert lineage.item == {"thing": "watch", "drawing": None, "place": "there"}
    assert lineage.items == [1]
    assert lineage.keys == {"refine": [nodes["refine/1/0"].key], "base": [nodes["base/1/0"].key]}
    assert lineage.choices == {nodes["pick/0/0"].key: [1], nodes["pick/1/0"].key: [0]}
    assert list(lineage.models) == ["checkpoint:"]
    assert lineage.seed == 7
    assert lineage.backend == "engine stub cpu fp32"
    assert [stage["seed"] for stage in lineage.recipe["stages"] if "seed" in stage] == [7, 7]


def test_a_jpeg_without_its_neighbour_is_known_by_its_id_and_a_stored_picture_by_its_hash(tmp_path: Path):
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        run = carry_out(session, Asked(recipe=places()), {1: [2], 2: [1]})
        session.write_outputs(run, tmp_path / "out")
        blob = next(node.pictures[0] for node in session.ledger.nodes(run.id) if node.place == "refine/0/0")
        infotext = png_texts((tmp_path / "out/03-refine/001-1.png").read_bytes())["parameters"]
        alone = with_png_texts(encode_png(PICTURE), {"parameters": infotext})
        for data in (alone, session.blobs.get(blob)):
            found = session.restorer.of_data(data, "it")
            assert (found.where, found.lineage.stage, found.lineage.items) == ("the ledger", "refine", [0])


def test_private_outputs_say_nothing(tmp_path: Path):
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        run = carry_out(session, Asked(recipe=places()), {1: [1], 2: [1]})
        names = session.write_outputs(run, tmp_path / "out", private=True)
        for name in names:
            assert png_texts((tmp_path / "out" / name).read_bytes()) == {}
    told = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert told.keys() == {"made_by", "files"}
    assert {key for file in told["files"] for key in file} == {"file", "sha256"}
