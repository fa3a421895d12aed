from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest

from lib_extension.session.asked import Asked
from lib_extension.session.outlook import Outlook, PreflightRefused
from lib_extension.session.reviews import Candidate, Review, find_review, places_of
from lib_extension.spec.errors import AtelierError, BadRequest, NotFound
from tests.pictures.test_png import png
from tests.runs.stub_backend import running_stub
from tests.runs.workshop import chain, recipe
from tests.session.rooms import DRAWING, carry_out, places, room

REVIEW = Review("k", "pick", (0,), 0, tuple(Candidate(blob, None, {}) for blob in ("abcdef01", "abcdef02", "bbbbbb03")))


def test_an_outlook_tells_what_runs_and_why(tmp_path: Path):
    with running_stub() as stub, room(tmp_path, stub.url) as session:
        carry_out(session, Asked(recipe=chain(3)))
        calls = len(stub.calls)
        outlook = session.outlook(Asked(recipe=chain(3, s1={"denoising_strength": 0.35})))
        assert [(one.state, one.why) for one in outlook.explained] == [
            ("cached", "nothing it depends on has changed"),
            ("will run", "denoising_strength 0.40 → 0.35"),
            ("will run", "takes s1, which runs anew"),
        ]
        assert len(stub.calls) == calls


def test_what_preflight_refuses_is_not_even_written_down(tmp_path: Path):
    with running_stub() as stub, room(tmp_path, stub.url) as session:
        with pytest.raises(PreflightRefused, match="no sampler") as refused:
            session.add(Asked(recipe=chain(1, s0={"sampler_name": "Eule"})))
        assert [(finding.severity, finding.stage, finding.field) for finding in refused.value.findings] == [("error", "s0", "sampler_name")]
        assert session.ledger.runs.all() == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"no picture", 'The picture "poses/back.png" is not a whole picture of a known kind'),
        (DRAWING[:-40], 'The picture "poses/back.png" is not a whole picture'),
        (base64.b64decode(png(60_000, 60_000, b"")), 'The picture "poses/back.png" has too many pixels; 64 megapixels is the most'),
    ],
)
def test_a_picture_that_cannot_go_in_is_named(tmp_path: Path, data: bytes, message: str):
    rows = [{"drawing": "poses/back.png"}]
    redrawn = recipe({"id": "a", "type": "img2img", "takes": "drawing"}, inputs={"drawing": {"type": "image"}}, rows=rows)
    with running_stub() as stub, room(tmp_path, stub.url) as session, pytest.raises(AtelierError, match=message):
        session.add(Asked(recipe=redrawn, pictures={"poses/back.png": data}))


def test_preflight_goes_by_what_the_backend_has_now(tmp_path: Path):
    wanted = Asked(recipe=chain(1, s0={"checkpoint": "second"}))
    with running_stub() as stub:
        with room(tmp_path, stub.url) as session:
            session.add(wanted)
        stub.checkpoints = ("first",)
        with room(tmp_path, stub.url) as session:
            assert session.outlook(wanted).errors == []  # as last seen
            with pytest.raises(PreflightRefused, match="second"):
                session.add(wanted)


def test_a_run_is_taken_while_another_is_drawn(tmp_path: Path):
    with running_stub() as stub, room(tmp_path, stub.url) as session:
        carry_out(session, Asked(recipe=chain(1)))
        stub.delay, stub.refreshes_wait = 60, True  # or until it is interrupted
        first, _ = session.add(Asked(recipe=chain(1, s0={"prompt": "slow"})))
        session.runner.start(first)
        while "slow" not in str(stub.bodies):
            time.sleep(0.01)
        session.add(Asked(recipe=chain(1, s0={"prompt": "next"})))
        assert session.ledger.runs.get(first).state == "running"
        stub.answer("/sdapi/v1/interrupt", {})
        stub.checkpoints = ("first", "second", "third")
        session.add(Asked(recipe=chain(1, s0={"checkpoint": "third"})))  # what is new is asked for, however long it takes


def test_what_is_new_is_asked_for_even_if_the_run_at_work_ends_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with running_stub() as stub, room(tmp_path, stub.url) as session:
        carry_out(session, Asked(recipe=chain(1)))
        stub.delay = 60  # or until it is interrupted
        first, _ = session.add(Asked(recipe=chain(1, s0={"prompt": "slow"})))
        session.runner.start(first)
        while "slow" not in str(stub.bodies):
            time.sleep(0.01)
        stub.checkpoints = ("first", "second", "third")
        look = session.outlook

        def outlook(asked: Asked, fresh: bool = False) -> Outlook:
            seen = look(asked, fresh)
            stub.answer("/sdapi/v1/interrupt", {})
            session.runner.wait(first)
            return seen

        monkeypatch.setattr(session, "outlook", outlook)
        _, found = session.add(Asked(recipe=chain(1, s0={"checkpoint": "third"})))
        assert not session.runner.is_busy
        assert found.errors == []


def test_a_picture_of_a_run_with_other_backends_is_found(tmp_path: Path):
    with running_stub() as one, running_stub() as other:
        with room(tmp_path, one.url) as session:
            run = carry_out(session, Asked(recipe=chain(1)))
            blob = session.ledger.nodes(run.id)[0].pictures[0]
        with room(tmp_path, other.url, one.url) as session:
            assert session.restorer.of_data(session.blobs.get(blob), "it").lineage.stage == "s0"


def test_reviews_are_decided_by_item_and_number(tmp_path: Path):
    with running_stub() as stub, room(tmp_path, stub.url) as session:
        run = carry_out(session, Asked(recipe=places()))
        assert (run.state, [(review.stage, review.items) for review in session.reviews(run.id)]) == (
            "waiting",
            [("pick", (0,)), ("pick", (1,))],
        )
        with pytest.raises(BadRequest, match="which: 1, 2"):
            session.choose(run.id, "pick", [1])
        with pytest.raises(NotFound, match='in "base"; these stages wait for one: pick'):
            session.choose(run.id, "base", [1])
        session.choose(run.id, "pick", ["2"], 2)
        assert [review.items for review in session.reviews(run.id)] == [(0,)]


def test_a_choice_can_be_changed_and_only_what_follows_from_it_is_made(tmp_path: Path):
    with running_stub() as stub, room(tmp_path, stub.url) as session:
        first = carry_out(session, Asked(recipe=places()), {1: [1], 2: [1]})
        assert (first.state, len(stub.calls)) == ("done", 4)
        run = carry_out(session, Asked(recipe=places()))  # by the choices of the earlier one
        assert (run.state, len(stub.calls)) == ("done", 4)
        with pytest.raises(BadRequest, match="which: 1, 2"):
            session.choose(run.id, "pick", [2])
        session.choose(run.id, "pick", [2], 2)
        session.runner.start(run.id)
        assert (session.runner.wait(run.id, 60).state, len(stub.calls)) == ("done", 5)
        made = [[node.pictures for node in session.ledger.nodes(one.id) if node.place == "refine/1/0"] for one in (first, run)]
        assert made[0] != made[1]


@pytest.mark.parametrize(("chosen", "places"), [([1, 3], [0, 2]), (["2"], [1]), (["abcdef02"], [1]), (["BBBBBB"], [2]), ([1, 1], [0, 0])])
def test_pictures_are_named_by_number_or_hash(chosen: list[object], places: list[int]):
    assert places_of(REVIEW, chosen) == places


@pytest.mark.parametrize("chosen", [0, 4, "0", "-1", "abcdef", "", "zzzzzz", True, None, 1.5, "abc", [1], "99999999"])
def test_what_names_no_picture_is_refused(chosen: object):
    with pytest.raises(BadRequest):
        places_of(REVIEW, [chosen])


def test_a_review_that_is_not_there_is_told():
    assert find_review([REVIEW], "pick", None) is REVIEW
    with pytest.raises(BadRequest):
        find_review([REVIEW], "pick", 2)


def test_a_run_that_is_pinned_or_at_work_is_not_forgotten(tmp_path: Path):
    with running_stub() as stub, room(tmp_path, stub.url) as session:
        run = carry_out(session, Asked(recipe=recipe({"id": "a", "type": "txt2img", "prompt": "x"})))
        session.ledger.runs.pin(run.id)
        with pytest.raises(BadRequest, match="pinned"):
            session.remove(run.id)
        session.ledger.runs.pin(run.id, False)
        session.remove(run.id)
        with pytest.raises(NotFound):
            session.ledger.runs.get(run.id)
