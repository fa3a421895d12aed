"""Does the ledger keep what was asked, made, chosen and claimed, whatever happens to its file?"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.runs.ledger import Finished, Ledger
from lib_extension.runs.records import NewRun, NodeRecord, Result, StoredFile, StoredPicture
from lib_extension.runs.result_table import result_from_json, result_to_json
from lib_extension.runs.storage import StorageError
from lib_extension.spec.errors import NotFound

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db")
    yield opened
    opened.close()


def result(key: str, blob: str = "b" * 64, **more: object) -> Result:
    pictures = (StoredPicture(blob=blob, size=10, infotext="a watch\nSteps: 4", seed=7, facts={"overall": 0.5}),)
    values = {"key": key, "type": "txt2img", "pictures": pictures, "parts": {"seed": 7}, "backend": "x 1", "seconds": 2.0, "cost": 4.0}
    return Result(**(values | more))  # type: ignore[arg-type]


def finish(ledger: Ledger, run: str, *results: Result) -> None:
    ledger.finish([Finished(run, one, {"key": one.key}) for one in results])


def added(ledger: Ledger, name: str = "watch") -> str:
    return ledger.runs.add(NewRun(recipe={"name": name}, values={"place": "sea"}, pictures={"photo": "a" * 64}, backends=("engine:demo",)))


def test_a_run_is_as_it_was_asked(ledger: Ledger) -> None:
    run_id = added(ledger)
    run = ledger.runs.get(run_id)
    assert (run.name, run.values, run.pictures, run.backends) == ("watch", {"place": "sea"}, {"photo": "a" * 64}, ("engine:demo",))
    assert (run.state, run.pinned, run.confirmed) == ("new", False, False)
    ledger.runs.set_state(run_id, "failed", "no room")
    ledger.runs.pin(run_id)
    run = ledger.runs.get(run_id)
    assert (run.state, run.message, run.pinned) == ("failed", "no room", True)
    assert [run.id for run in ledger.runs.all("watch")] == [run_id]
    assert ledger.runs.all("other") == []


def test_an_unknown_run_is_named_with_the_nearest(ledger: Ledger) -> None:
    run_id = added(ledger)
    with pytest.raises(NotFound, match=f'Did you mean "{run_id}"'):
        ledger.runs.get(run_id[:-1] + "x")


def test_a_result_is_as_it_was_made(ledger: Ledger) -> None:
    made = result("k1", files={"a/b.png": StoredFile(blob="c" * 64, size=3)}, reason="", unusual=True, made=5.0)
    finish(ledger, added(ledger), made)
    assert ledger.results.get("k1") == made
    assert ledger.results.get("k2") is None
    assert ledger.results.blobs(["k1", "k2"]) == {"k1": {"b" * 64: 10, "c" * 64: 3}}
    assert ledger.results.unusual_counts() == {"k1": 1}
    assert ledger.results.parts(["k1"]) == {"k1": {"seed": 7}}
    assert ledger.results.with_blob("b" * 64) == [("k1", 0)]
    ledger.results.forget(["k1"])
    assert ledger.results.get("k1") is None
    assert ledger.results.with_blob("b" * 64) == []


def test_keys_by_the_thousand(ledger: Ledger) -> None:
    keys = [f"k{i}" for i in range(1200)]
    finish(ledger, added(ledger), *(result(key, pictures=()) for key in keys[:1100]))
    assert ledger.results.blobs(keys) == {key: {} for key in keys[:1100]}


def test_what_is_read_at_once_is_of_one_moment(tmp_path: Path, ledger: Ledger) -> None:
    run_id, writer = added(ledger), Ledger(tmp_path / "ledger.db")
    keys = [f"k{i}" for i in range(60)]
    thread = threading.Thread(target=lambda: [finish(writer, run_id, result(key)) for key in keys])
    thread.start()
    while thread.is_alive():
        assert all(ledger.results.blobs(keys).values())
    thread.join()
    assert len(ledger.results.blobs(keys)) == 60
    writer.close()


_texts = st.text(max_size=10)
_pictures = st.builds(
    StoredPicture,
    blob=_texts,
    size=st.integers(0, 2**40),
    infotext=_texts,
    seed=st.none() | st.integers(0, 2**32),
    facts=st.dictionaries(_texts, st.integers() | _texts | st.booleans(), max_size=3),
)


@given(pictures=st.lists(_pictures, max_size=3), files=st.dictionaries(_texts, st.builds(StoredFile, blob=_texts, size=st.integers(0, 9))))
def test_the_journal_tells_a_result_whole_but_for_its_parts(pictures: list[StoredPicture], files: dict[str, StoredFile]) -> None:
    made = result("k", pictures=tuple(pictures), files=files, parts={})
    assert result_from_json(result_to_json(made)) == made


def test_a_choice_of_another_run_counts_until_there_is_an_own_one(ledger: Ledger) -> None:
    first, second = added(ledger), added(ledger)
    ledger.runs.choose(first, "review", [2])
    assert ledger.runs.choices(second) == {"review": (2,)}
    ledger.runs.choose(second, "review", [0, 1])
    assert (ledger.runs.choices(first), ledger.runs.choices(second)) == ({"review": (2,)}, {"review": (0, 1)})


def test_nodes_tell_what_became_of_them(ledger: Ledger) -> None:
    run_id = added(ledger)
    ledger.runs.set_nodes(run_id, [NodeRecord(key=f"k{i}", stage="base", place=f"base/{i}/0") for i in range(4)])
    assert ledger.claims.take("k0", run_id, {}) == "mine"
    finish(ledger, run_id, result("k0"))
    assert ledger.claims.take("k1", run_id, {}) == "mine"
    ledger.runs.mark(run_id, ["k2"], "failed", "refused")
    nodes = ledger.nodes(run_id)
    assert [node.state for node in nodes] == ["done", "running", "failed", "planned"]
    assert (nodes[0].pictures, nodes[2].message) == (("b" * 64,), "refused")


def test_a_claim_keeps_others_out_until_it_is_released(tmp_path: Path, ledger: Ledger) -> None:
    other = Ledger(tmp_path / "ledger.db")
    run_id = added(ledger)
    assert ledger.claims.take("k", run_id, {}) == "mine"
    assert ledger.claims.take("k", run_id, {}) == "elsewhere"  # another run of the same process
    assert other.claims.take("k", run_id, {}) == "elsewhere"
    assert other.claims.living() == {"k"}
    ledger.claims.release("k")
    assert other.claims.take("k", run_id, {}) == "mine"
    finish(other, run_id, result("k"))
    assert ledger.claims.take("k", run_id, {}) == "done"
    assert ledger.claims.living() == set()
    other.close()


def test_the_claims_of_a_closed_and_of_a_killed_process_are_free(tmp_path: Path, ledger: Ledger) -> None:
    run_id = added(ledger)
    other = Ledger(tmp_path / "ledger.db")
    other.claims.take("closed", run_id, {})
    other.close()
    code = (
        "import os, pathlib, sys; from lib_extension.runs.ledger import Ledger; ledger = Ledger(pathlib.Path(sys.argv[1]));"
        " ledger.claims.take('killed', sys.argv[2], {}); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "ledger.db"), run_id], cwd=ROOT)
    assert ended.returncode == -9
    assert ledger.claims.living() == set()
    assert [ledger.claims.take(key, run_id, {}) for key in ("closed", "killed")] == ["mine", "mine"]


def test_only_one_of_many_threads_gets_a_claim(tmp_path: Path) -> None:
    ledgers = [Ledger(tmp_path / "ledger.db") for _ in range(4)]
    run_id = added(ledgers[0])
    got: list[str] = []
    threads = [
        threading.Thread(target=lambda one=ledger: got.extend(one.claims.take(f"k{i}", run_id, {}) for i in range(30)))
        for ledger in ledgers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == ["elsewhere"] * 90 + ["mine"] * 30
    for ledger in ledgers:
        ledger.close()


def test_events_are_followed_until_the_run_has_ended(ledger: Ledger) -> None:
    run_id = added(ledger)
    ledger.events.add(run_id, "state", state="running", message="")
    told: list[str] = []
    follower = threading.Thread(target=lambda: told.extend(event.data["state"] for event in ledger.events.follow(run_id) if event))
    follower.start()
    ledger.events.add(run_id, "state", state="done", message="")
    follower.join(10)
    assert told == ["running", "done"]
    first, second = ledger.events.after(run_id)
    assert ledger.events.after(run_id, first.id) == [second]


def fill(ledger: Ledger) -> str:
    """A run with results, choices and pins, and one that was removed."""
    gone, run_id = added(ledger, "gone"), added(ledger)
    ledger.runs.remove(gone)
    finish(ledger, run_id, result("k1"), result("k2", pictures=(), reason="nothing found", unusual=True))
    ledger.runs.choose(run_id, "k3", [1])
    ledger.runs.pin(run_id)
    ledger.pins.set("p" * 64)
    ledger.pins.set("q" * 64)
    ledger.pins.set("q" * 64, False)
    return run_id


def same(ledger: Ledger, run_id: str) -> bool:
    run = ledger.runs.get(run_id)
    results = [ledger.results.get(key) for key in ("k1", "k2")]
    return (
        [run.id for run in ledger.runs.all()] == [run_id]
        and (run.values, run.pinned) == ({"place": "sea"}, True)
        and [(found.pictures, found.reason) for found in results if found] == [(result("k1").pictures, ""), ((), "nothing found")]
        and ledger.runs.choices(run_id) == {"k3": (1,)}
        and ledger.pins.all() == {"p" * 64}
    )


@pytest.mark.parametrize("damage", ["rubbish", "empty header", "pages", "cut off"])
@pytest.mark.parametrize("compacted", [False, True])
def test_a_damaged_ledger_is_set_aside_and_made_anew(tmp_path: Path, damage: str, compacted: bool) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger(path)
    run_id = fill(ledger)
    if compacted:
        ledger.compact()
    ledger.close()
    whole = path.read_bytes()
    damaged = {
        "rubbish": b"no database at all" * 1000,
        "empty header": bytes(100) + whole[100:],
        "pages": whole[:4096] + bytes(len(whole) - 4096),
        "cut off": whole[: len(whole) // 2],
    }[damage]
    path.write_bytes(damaged)

    again = Ledger(path)
    assert "set aside as ledger.db.damaged-" in again.notice
    assert same(again, run_id)
    assert next(tmp_path.glob("ledger.db.damaged-*")).read_bytes() == damaged
    again.close()
    third = Ledger(path)
    assert third.notice == ""
    assert same(third, run_id)
    third.close()


def test_a_journal_that_was_cut_off_spoils_one_line_only(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger(path)
    run_id = fill(ledger)
    with path.with_name("ledger.db.journal").open("ab") as file:
        file.write(b'\n["result",{"key":"k9"')
    finish(ledger, run_id, result("k4"))
    ledger.close()
    path.write_bytes(b"rubbish")
    again = Ledger(path)
    assert same(again, run_id)
    assert again.results.get("k4") is not None
    again.close()


def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger(path)
    with ledger.database.write() as connection:
        connection.execute("PRAGMA user_version = 99")
    ledger.close()
    with pytest.raises(StorageError, match="newer version"):
        Ledger(path)
    assert not list(tmp_path.glob("*.damaged-*"))


def test_timings_fade(ledger: Ledger) -> None:
    run_id = added(ledger)
    finish(ledger, run_id, result("k1", seconds=10.0, cost=10.0))
    finish(ledger, run_id, *(result(f"l{i}", seconds=20.0, cost=10.0) for i in range(40)))
    pace = ledger.timings.known()["x 1", "txt2img"].estimate(10.0)
    assert pace == pytest.approx(20.0, rel=0.02)


def test_what_a_backend_was_is_remembered(ledger: Ledger) -> None:
    assert ledger.backends.last_seen("engine:demo") is None
    ledger.backends.saw("engine:demo", {"version": 1})
    ledger.backends.saw("engine:demo", {"version": 2})
    assert ledger.backends.last_seen("engine:demo") == {"version": 2}
