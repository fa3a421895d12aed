from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

from PIL import Image

from lib_extension.pictures.png import encode_png
from tests.api.large import ITEMS, STAGES, large_run
from tests.api.serving import Served, served
from tests.runs.stub_backend import Stub

MOST_BRIEF = 0.05  # seconds of the processor
MOST_BYTES = 20_000


def brief(server: Served, run_id: str) -> Any:
    return server.json("GET", f"/runs/{run_id}", params={"brief": 1})


def test_a_run_in_short_tells_numbers_by_stage_and_the_choices_it_waits_for(server: Served, stub: Stub):
    run: Any = server.json("POST", "/recipes/tiny/runs", 201, json={"rows": [{"thing": "ring"}, {"thing": "mug"}]})
    server.ended(run["id"], "waiting")
    told = brief(server, run["id"])
    assert "recipe" not in told
    assert told["stages"][0] == {
        "stage": "base",
        "type": "txt2img",
        "done": 2,
        "failed": 0,
        "running": 0,
        "left": 0,
        "left_out": 0,
        "total": 2,
        "waiting": 0,
    }
    assert told["stages"][1]["waiting"] == told["reviews_waiting"] == 2
    whole: Any = server.json("GET", f"/runs/{run['id']}")
    assert told["reviews"] == whole["reviews"]
    assert [review["labels"] for review in told["reviews"]] == [{"thing": "ring"}, {"thing": "mug"}]
    for review in told["reviews"]:
        choice = {"stage": "pick", "item": review["items"][0], "pictures": [1]}
        answer: Any = server.json("POST", f"/runs/{run['id']}/choose", json=choice, params={"brief": 1})
        assert "recipe" not in answer
    server.ended(run["id"], "done")
    told = brief(server, run["id"])
    assert (told["reviews"], told["reviews_waiting"], told["progress"]) == ([], 0, None)
    assert [stage["done"] for stage in told["stages"]] == [2, 2, 2]


def test_how_far_a_run_is_that_is_at_work(server: Served, stub: Stub):
    stub.delay = 1.0
    run: Any = server.json("POST", "/recipes/tiny/runs", 201, json={"rows": [{"thing": "ring"}, {"thing": "mug"}]})
    deadline = time.monotonic() + 10
    while not (told := brief(server, run["id"]))["progress"] or not any(told["progress"]["running"].values()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert list(told["progress"]["running"].values()) == [0.5]
    assert told["stages"][0]["running"] == 1
    assert told["stages"][0]["left"] == 1


def test_what_failed_and_what_needs_it_is_counted(server: Served, stub: Stub):
    stub.behaviour["refuse"] = 1
    server.json("PUT", "/recipes/chain", json=chain())
    run: Any = server.json("POST", "/recipes/chain/runs", 201)
    server.ended(run["id"], "failed", "done")
    told = brief(server, run["id"])
    numbers = {name: sum(stage[name] for stage in told["stages"]) for name in ("done", "failed", "left_out", "left", "total")}
    assert numbers["total"] == 4
    assert numbers["done"] + numbers["failed"] + numbers["left_out"] == 4


def chain() -> dict[str, Any]:
    """Two items through two stages, without choices."""
    settings = {"steps": 4, "sampler_name": "Euler", "scheduler": "Automatic", "width": 64, "height": 64, "seed": 7}
    stages = [{"id": "base", "type": "txt2img", "prompt": "a {thing}"}, {"id": "refine", "type": "img2img", "takes": "base"}]
    return {"settings": settings, "inputs": {"thing": {"type": "text"}}, "rows": [{"thing": "ring"}, {"thing": "mug"}], "stages": stages}


def test_pictures_come_in_pages_with_what_tells_them_apart(server: Served, stub: Stub):
    server.json("PUT", "/recipes/chain", json=chain())
    run: Any = server.json("POST", "/recipes/chain/runs", 201)
    server.ended(run["id"], "done")
    pages: list[Any] = []
    for after in range(5):
        pages += server.json("GET", f"/runs/{run['id']}/pictures", params={"after": after, "limit": 1})  # pyright: ignore[reportOperatorIssue]
    assert len(pages) == len({picture["id"] for picture in pages}) == 4
    every: Any = server.json("GET", f"/runs/{run['id']}/pictures")
    assert every == pages
    refined: Any = server.json("GET", f"/runs/{run['id']}/pictures", params={"stage": "refine"})
    assert [(one["stage"], one["number"], one["seed"], one["width"], one["height"]) for one in refined] == [("refine", 1, 7, 64, 64)] * 2
    assert {one["item"]: one["labels"] for one in refined} == {1: {"thing": "ring"}, 2: {"thing": "mug"}}
    assert sorted(one["file"] for one in refined) == ["02-refine/001-1.png", "02-refine/002-1.png"]
    server.json("GET", f"/runs/{run['id']}/pictures", 404, params={"stage": "refin"})
    server.json("GET", f"/runs/{run['id']}/pictures", 422, params={"limit": 1001})
    server.json("GET", f"/runs/{run['id']}/pictures", 422, params={"after": -1})


def test_a_picture_of_several_items_is_told_apart_by_what_they_share(server: Served, stub: Stub):
    recipe = chain() | {"rows": [{"thing": "ring", "light": "day"}, {"thing": "ring", "light": "night"}]}
    recipe["stages"][1]["prompt"] = "by {light}"
    server.json("PUT", "/recipes/chain", json=recipe)
    run: Any = server.json("POST", "/recipes/chain/runs", 201)
    server.ended(run["id"], "done")
    every: Any = server.json("GET", f"/runs/{run['id']}/pictures")
    assert [one["labels"] for one in every if one["stage"] == "base"] == [{"thing": "ring"}]
    assert [one["labels"]["light"] for one in every if one["stage"] == "refine"] == ["day", "night"]


def test_the_history_is_searched_and_goes_back_page_by_page(server: Served, stub: Stub):
    server.json("PUT", "/recipes/chain", json=chain())
    ids: list[str] = []
    for name, thing, end in (("tiny", "100%", "waiting"), ("chain", "mug", "done"), ("tiny", "ring", "waiting")):
        body = {"thing": thing} if name == "tiny" else {}
        run: Any = server.json("POST", f"/recipes/{name}/runs", 201, json=body)
        server.ended(run["id"], end)
        ids.insert(0, run["id"])

    def found(**asked: object) -> list[str]:
        told: Any = server.json("GET", "/runs", params=asked)
        return [run["id"] for run in told]

    assert found() == ids
    assert found(limit=1) == ids[:1]
    assert found(before=ids[0], limit=1) == ids[1:2]
    assert found(before="nothing") == []
    assert found(recipe="tiny") == [ids[0], ids[2]]
    assert found(state="done") == [ids[1]]
    assert found(state="done,waiting") == ids
    assert found(search="100%") == [ids[2]]
    assert found(search="10_%") == []
    assert found(search="RING") == [ids[0], ids[1]]  # its rows name one too
    (done,) = server.json("GET", "/runs", params={"state": "done"})  # pyright: ignore[reportGeneralTypeIssues]
    assert done["counts"] == {"total": 4, "done": 4, "failed": 0, "left_out": 0, "running": 0, "left": 0}
    assert server.client.get(f"/atelier/v1/pictures/{done['cover']}").status_code == 200
    assert done["seconds"] >= 0
    server.json("GET", "/runs", 422, params={"state": "don"})


def test_a_live_preview_is_shown_while_its_run_is_at_work(server: Served, stub: Stub):
    png = encode_png(Image.new("RGB", (8, 8), "red"))
    stub.preview, stub.delay = f"data:image/png;base64,{base64.b64encode(png).decode()}", 1.5
    run: Any = server.json("POST", "/recipes/tiny/runs", 201)
    path = f"/atelier/v1/runs/{run['id']}/preview"
    deadline = time.monotonic() + 10
    while (answer := server.client.get(path)).status_code == 204:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (answer.content, answer.headers["content-type"]) == (png, "image/png")
    assert server.client.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    stub.preview = "data:image/png;base64,PHNjcmlwdD4="  # no picture
    assert server.client.get(path).status_code == 204
    server.ended(run["id"], "waiting")
    assert server.client.get(path).status_code == 204
    server.json("GET", "/runs/nothing/preview", 404)


def test_a_run_of_twelve_thousand_stage_instances_is_told_in_short_at_once(tmp_path: Path, stub: Stub):
    with served(tmp_path, stub.url) as server:
        run_id = large_run(server.session)
        run = server.session.ledger.runs.get(run_id)
        seconds: list[float] = []
        for _ in range(5):
            begun = time.thread_time()
            server.session.briefs.of(run)
            seconds.append(time.thread_time() - begun)
        assert min(seconds) < MOST_BRIEF, seconds
        answer = server.client.get(f"/atelier/v1/runs/{run_id}", params={"brief": 1})
        assert len(answer.content) < MOST_BYTES
        assert sum(stage["left"] for stage in answer.json()["stages"]) == STAGES * ITEMS // 2


def test_a_mask_is_a_cover_only_where_there_is_nothing_else(server: Served, stub: Stub):
    picture: Any = server.json("POST", "/pictures", 201, content=encode_png(Image.new("RGB", (64, 64), "red")))
    whole = {"id": "whole", "type": "mask", "takes": "drawing", "mask": {"kind": "colour", "colour": "#ff0000"}}
    recipe = chain() | {"name": "masked", "rows": [], "inputs": {"drawing": {"type": "image"}}, "stages": [whole]}

    def cover(**more: Any) -> Any:
        run: Any = server.json("POST", "/runs", 201, json={"recipe": recipe | more, "inputs": {"drawing": picture["id"]}})
        server.ended(run["id"], "done")
        told: Any = server.json("GET", "/runs")
        pictures: Any = server.json("GET", f"/runs/{run['id']}/pictures")
        return next(one["stage"] for one in pictures if one["id"] == told[0]["cover"])

    assert cover() == "whole"
    assert cover(stages=[{"id": "base", "type": "txt2img", "prompt": "a ring"}, whole]) == "base"
