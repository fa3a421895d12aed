from __future__ import annotations

from pathlib import Path

from lib_extension.session.asked import Asked
from lib_extension.session.making_room import make_room
from lib_extension.session.session import Session
from tests.runs.stub_backend import running_stub
from tests.runs.workshop import chain
from tests.session.rooms import carry_out, places, room


def taken(session: Session) -> int:
    return sum(size for _, size, _ in session.blobs.names())


def test_the_oldest_ended_runs_go_until_it_is_enough(tmp_path: Path):
    with running_stub() as stub, room(tmp_path, stub.url) as session:
        ids = [carry_out(session, Asked(recipe=chain(2, s0={"seed": seed}))).id for seed in range(3)]
        each = taken(session) // 3
        assert make_room(session, taken(session), 0) == []
        assert make_room(session, 2 * each + each // 2, 0) == ids[:1]
        assert [run.id for run in session.ledger.runs.all()] == [ids[2], ids[1]]
        assert taken(session) < 2.5 * each


def test_what_is_wanted_and_the_newest_stay_however_little_is_allowed(tmp_path: Path):
    with running_stub() as stub, room(tmp_path, stub.url) as session:
        pinned = carry_out(session, Asked(recipe=chain(1, s0={"seed": 1}))).id
        session.ledger.runs.pin(pinned, True)
        waiting = carry_out(session, Asked(recipe=places())).id
        old = carry_out(session, Asked(recipe=chain(1, s0={"seed": 2}))).id
        newest = carry_out(session, Asked(recipe=chain(1, s0={"seed": 3}))).id
        assert make_room(session, 1, 0) == [old]
        assert {run.id for run in session.ledger.runs.all()} == {pinned, waiting, newest}
        for run_id in (pinned, newest):
            for record in session.ledger.nodes(run_id):
                assert all(session.blobs.get(blob) for blob in record.pictures)


def test_runs_whose_files_would_stay_anyway_are_not_forgotten_for_nothing(tmp_path: Path):
    with running_stub() as stub, room(tmp_path, stub.url) as session:
        for seed in range(3):
            carry_out(session, Asked(recipe=chain(1, s0={"seed": seed})))
        assert make_room(session, 1) == []
        assert len(session.ledger.runs.all()) == 3
