"""Does progress tell the truth, and do wishes to stop arrive?"""

from __future__ import annotations

import pytest
from PIL import Image

from lib_extension.engine.progress import Progress, Stopped


def picture() -> Image.Image:
    return Image.new("RGB", (8, 8))


def begun(jobs: int = 2, every: int = 2) -> Progress:
    progress = Progress()
    progress.begin("mine", "scripts_txt2img")
    progress.plan_jobs(jobs, every)
    progress.sampling(4)
    return progress


def test_the_share_counts_jobs_and_steps() -> None:
    progress = begun()
    assert progress.snapshot().progress == 0
    assert progress.snapshot().eta is None
    progress.step(2, picture)
    assert progress.snapshot().progress == 0.25
    progress.next_job()
    assert progress.snapshot().progress == 0.5
    assert progress.snapshot().state.job_no == 1
    progress.finish()
    snapshot = progress.snapshot()
    assert (snapshot.task_id, snapshot.progress, snapshot.state.job_count) == (None, 0.0, 0)


def test_an_interrupt_is_seen_at_the_next_check_and_until_the_next_task() -> None:
    progress = begun()
    progress.check()
    progress.interrupt()
    with pytest.raises(Stopped) as stopped:
        progress.check()
    assert not stopped.value.skipped
    progress.finish()
    assert progress.snapshot().state.interrupted
    progress.begin(None, "next")
    progress.check()


def test_a_skip_ends_with_its_batch() -> None:
    progress = begun()
    progress.skip()
    with pytest.raises(Stopped) as stopped:
        progress.check()
    assert stopped.value.skipped
    progress.batch("Batch 2 out of 2")
    progress.check()
    assert progress.snapshot().state.job == "Batch 2 out of 2"


def test_previews_are_drawn_when_somebody_looks_and_once() -> None:
    drawn = []

    def draw() -> Image.Image:
        drawn.append(1)
        return picture()

    progress = begun(every=2)
    progress.step(1, draw)
    assert progress.preview() is None
    progress.step(2, draw)
    assert drawn == []
    assert progress.preview() is progress.preview()
    assert drawn == [1]
    assert progress.snapshot().preview_id == 1
