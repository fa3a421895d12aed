"""Does garbage collection take what nobody needs, and nothing else?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from lib_extension.pictures.png import encode_png
from lib_extension.runs.garbage import collect
from tests.runs.stub_backend import Stub, running_stub
from tests.runs.workshop import Workshop, chain, recipe, workshop

NEW = -1.0  # a grace that spares nothing


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running_stub() as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, stub: Stub) -> Iterator[Workshop]:
    with workshop(tmp_path, stub.url) as opened:
        yield opened


def names(shop: Workshop) -> set[str]:
    return {name for name, _, _ in shop.blobs.names()}


def test_what_a_run_needs_stays(shop: Workshop, stub: Stub) -> None:
    inputs = {"photo": {"type": "image"}}
    photo = encode_png(Image.new("RGB", (64, 64), "red"))
    run = shop.run(recipe({"id": "redo", "type": "img2img", "takes": "photo"}, inputs=inputs), pictures={"photo": photo})
    before = names(shop)
    assert len(before) == 2
    assert collect(shop.ledger, shop.blobs, grace=NEW) == collect(shop.ledger, shop.blobs, dry=True, grace=NEW)
    assert names(shop) == before
    assert shop.resume(run.id).state == "done"
    assert len(stub.calls) == 1


def test_what_only_a_removed_run_needed_goes(shop: Workshop, stub: Stub) -> None:
    first, second = shop.run(chain(3)), shop.run(chain(3, s2={"steps": 9}))
    shop.ledger.runs.remove(second.id)
    told = collect(shop.ledger, shop.blobs, dry=True, grace=NEW)
    assert (told.results, told.files) == (1, 1)
    assert told.bytes > 0
    assert len(names(shop)) == 4
    assert collect(shop.ledger, shop.blobs, grace=NEW) == told
    assert len(names(shop)) == 3
    shop.run(chain(3))
    assert len(stub.calls) == 4
    shop.run(chain(3, s2={"steps": 9}))
    assert len(stub.calls) == 5
    assert first.state == "done"


def test_what_is_new_stays_as_it_may_not_be_written_down_yet(shop: Workshop) -> None:
    run = shop.run(chain(2))
    shop.ledger.runs.remove(run.id)
    loose = shop.blobs.put(b"about to be recorded")
    assert collect(shop.ledger, shop.blobs).files == 0
    assert loose in names(shop)


def test_old_runs_go_but_those_that_are_pinned_or_wait(shop: Workshop) -> None:
    old, pinned = shop.run(chain(2)), shop.run(chain(2, s0={"seed": 8}))
    stages = [{"id": "base", "type": "txt2img", "prompt": "a lamp"}, {"id": "pick", "type": "review", "takes": "base"}]
    waiting = shop.run(recipe(*stages))
    shop.ledger.runs.pin(pinned.id)
    assert waiting.state == "waiting"
    assert collect(shop.ledger, shop.blobs, older_than=3600, grace=NEW).runs == ()
    assert collect(shop.ledger, shop.blobs, older_than=NEW, grace=NEW).runs == (old.id,)
    assert {run.id for run in shop.ledger.runs.all()} == {pinned.id, waiting.id}
    assert len(names(shop)) == 2 + 1


def test_a_pinned_picture_stays_with_what_is_known_of_it(shop: Workshop) -> None:
    run = shop.run(chain(3))
    kept = shop.ledger.nodes(run.id)[1].pictures[0]
    shop.ledger.pins.set(kept)
    shop.ledger.runs.remove(run.id)
    assert collect(shop.ledger, shop.blobs, grace=NEW).files == 2
    assert names(shop) == {kept}
    assert len(shop.ledger.results.with_blob(kept)) == 1


def test_the_journal_shrinks_with_it(shop: Workshop, tmp_path: Path) -> None:
    kept = shop.run(chain(2))
    for seed in range(8, 12):
        shop.ledger.runs.remove(shop.run(chain(2, s0={"seed": seed})).id)
    before = (tmp_path / "ledger.db.journal").stat().st_size
    collect(shop.ledger, shop.blobs, grace=NEW)
    assert (tmp_path / "ledger.db.journal").stat().st_size < before / 2
    shop.ledger.close()
    (tmp_path / "ledger.db").write_bytes(b"rubbish")
    (tmp_path / "ledger.db-wal").unlink(missing_ok=True)
    with workshop(tmp_path) as again:
        assert [run.id for run in again.ledger.runs.all()] == [kept.id]
        assert [node.key in again.ledger.results.blobs([node.key]) for node in again.ledger.nodes(kept.id)] == []
        assert sum(1 for _ in again.ledger.results.all()) == 2
        assert collect(again.ledger, again.blobs, grace=NEW).files == 0  # nobody knows yet what the run needs
    assert len(names(shop)) == 2
