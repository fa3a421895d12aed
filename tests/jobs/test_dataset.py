"""Do jobs check, prepare and caption pictures, kept inside the folders and servers that they may use, and can that be taken back?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_extension.captions import contradictions
from lib_extension.captions.files import read_folder
from lib_extension.captions.journal import journal_of
from lib_extension.jobs.dataset import DATASET, ENDPOINTS, needs
from lib_extension.jobs.jobs import Jobs
from lib_extension.jobs.kind import Around
from lib_extension.jobs.record import ENDED, Job
from lib_extension.setup.environment import Environment
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import from_json, to_json
from tests.jobs.test_jobs import until


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        Image.effect_noise((96, 64), 30 + 40 * number).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    """By the Python that this is, in place of the worker's."""

    def here(kind: str) -> Any:
        return replace(
            DATASET[kind], command=lambda environment, config: [sys.executable, *DATASET[kind].command(environment, config)[1:]], needs=None
        )

    jobs = Jobs(tmp_path / "data" / "jobs", kinds={kind: here(kind) for kind in DATASET})
    yield jobs
    jobs.close()


def filled(kind: str, around: Around, **config: Any) -> dict[str, Any]:
    return to_json(DATASET[kind].fill(from_json(DATASET[kind].settings, config), around))


def done(jobs: Jobs, job: Job) -> Job:
    until(lambda: jobs.get(job.id).standing.state in ENDED, 120)
    assert jobs.get(job.id).standing.state == "done", jobs.account(job.id)
    return jobs.get(job.id)


def test_a_check_leaves_its_report_with_the_job(jobs: Jobs, pictures: Path):
    job = done(jobs, jobs.add("check-pictures", {"folder": str(pictures)}))
    report = json.loads(jobs.file(job.id, "report.json").read_text("utf-8"))
    assert [one["name"] for one in report["pictures"]] == ["0.png", "1.png", "2.png"]
    assert jobs.file(job.id, "report.html").is_file()
    assert sorted(path.name for path in pictures.parent.iterdir()) == ["data", "pictures"]


def test_captions_of_a_job_are_taken_back_by_the_pages_journal(jobs: Jobs, pictures: Path):
    (pictures / "0.txt").write_bytes("as it was\r\n".encode("utf-16"))
    before = (pictures / "0.txt").read_bytes()
    done(jobs, jobs.add("caption", {"folder": str(pictures), "existing": "append", "trigger": "sks"}))
    assert (pictures / "0.txt").read_text("utf-8").startswith("sks, as it was, ")
    journal = journal_of(jobs.around.folder, pictures)
    assert [entry.captions for entry in journal.entries()] == [3]
    assert journal.undo().done == 3
    assert (pictures / "0.txt").read_bytes() == before
    assert not (pictures / "1.txt").exists()


def test_a_comparison_with_the_tagger_is_kept_where_the_page_reads_it(jobs: Jobs, pictures: Path):
    for number in range(3):
        (pictures / f"{number}.txt").write_text("red, watch")
    before = {path: path.read_bytes() for path in pictures.iterdir()}
    done(jobs, jobs.add("caption", {"folder": str(pictures), "existing": "compare"}))
    assert {path: path.read_bytes() for path in pictures.iterdir()} == before
    compared = contradictions.read(journal_of(jobs.around.folder, pictures).folder)
    assert contradictions.of_captions(read_folder(pictures), compared), "noise is no red watch"


def test_a_prepared_copy_is_made(jobs: Jobs, pictures: Path, tmp_path: Path):
    config = {"folder": str(pictures), "into": str(tmp_path / "ready"), "resize": 32, "processes": 1}
    done(jobs, jobs.add("prepare", config))
    with Image.open(tmp_path / "ready" / "0.png") as made:
        assert made.height == 32


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("check-pictures", {"folder": "/etc"}),
        ("check-pictures", {"folder": "{in}/../.."}),
        ("check-pictures", {"folder": "{in}", "report": "/tmp/elsewhere-entirely"}),
        ("check-pictures", {"folder": "{in}", "network": "/etc"}),
        ("prepare", {"folder": "{in}", "into": "/tmp/elsewhere-entirely"}),
        ("prepare", {"folder": "{in}", "into": "{in}/link/x"}),
        ("prepare", {"folder": "{in}", "into": "{in}/x", "masks": "/etc"}),
        ("prepare", {"folder": "{in}", "into": "{in}/x", "upscaler": "/etc/passwd"}),
        ("caption", {"folder": "/etc"}),
        ("caption", {"folder": "{in}", "captioners": [{"kind": "tagger", "model": "/etc"}]}),
        ("caption", {"folder": "{in}", "captioners": [{"kind": "blip", "model": "/etc"}]}),
        ("caption", {"folder": "{in}", "captioners": [{"kind": "florence2", "model": "tests"}]}),
        ("caption", {"folder": "{in}", "captioners": [{"kind": "endpoint", "model": "x", "url": "https://elsewhere.example/v1"}]}),
    ],
)
def test_clients_of_other_machines_stay_inside(pictures: Path, tmp_path: Path, kind: str, config: dict[str, Any]):
    (pictures / "link").symlink_to("/")
    told = json.loads(json.dumps(config).replace("{in}", str(pictures)))
    with pytest.raises(BadRequest, match=r"outside of the folders|may not be asked from here"):
        filled(kind, Around(tmp_path, roots=(pictures,)), **told)
    filled(kind, Around(tmp_path), **told)  # where only this machine is served


def test_servers_that_may_be_asked(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    around = Around(tmp_path, roots=(pictures,))
    monkeypatch.setenv(ENDPOINTS, "https://one.example/v1/, https://two.example/v1")
    for url in ("http://localhost:11434/v1", "http://127.0.0.1:1/v1", "https://one.example/v1", "https://two.example/v1/"):
        filled("caption", around, folder=str(pictures), captioners=[{"kind": "endpoint", "model": "x", "url": url}])
    for url in ("https://one.example/v2", "https://localhost@one.example/v1", "https://one.example.org/v1", "http://[x/v1"):
        with pytest.raises(BadRequest, match=ENDPOINTS):
            filled("caption", around, folder=str(pictures), captioners=[{"kind": "endpoint", "model": "x", "url": url}])


def test_the_journal_is_where_the_page_looks_whatever_is_asked(pictures: Path, tmp_path: Path):
    told = filled("caption", Around(tmp_path), folder=str(pictures), journal="/etc")
    assert told["journal"] == str(journal_of(tmp_path, pictures).folder)


def test_a_folder_is_named_by_its_whole_path(tmp_path: Path):
    for folder in ("", "pictures", "\0"):
        with pytest.raises(BadRequest):
            filled("check-pictures", Around(tmp_path), folder=folder)
    assert filled("check-pictures", Around(tmp_path), folder="~/x")["folder"] == str(Path.home() / "x")


def test_memory_is_asked_for_by_networks_that_need_it(pictures: Path):
    def asked(device: str, *kinds: str) -> int:
        config = {"folder": str(pictures), "device": device, "captioners": [{"kind": kind} for kind in kinds]}
        return needs(to_json(from_json(DATASET["caption"].settings, config)))

    assert asked("auto", "tagger") == asked("cpu", "blip2") == 0
    assert asked("auto", "tagger", "blip") == 3 << 30


def test_a_report_that_is_named_stays_named(tmp_path: Path):
    for report, arguments in (("", [f"report={tmp_path / 'files'}"]), ("/elsewhere", [])):
        file = tmp_path / "config.json"
        file.write_text(json.dumps({"folder": "/x", "report": report}))
        command = DATASET["check-pictures"].command(Environment(tmp_path / "worker"), file)
        assert command[1:] == ["-m", "trainer", "prepare", str(file), *arguments]
