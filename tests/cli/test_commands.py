"""The commands as a user types them, over a stub backend; those that a signal must reach are processes of their own."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib_extension.cli import exit_codes
from lib_extension.cli.main import COMMANDS, main
from tests.runs.stub_backend import Stub, running_stub

ROOT = Path(__file__).parents[2]
RECIPE = """
version: 1
name: tiny
title: Tiny things
inputs:
  thing: {type: text, default: watch}
settings: {steps: 4, sampler_name: Euler, scheduler: Automatic, width: 64, height: 64, seed: 7}
rows: [{place: here}, {place: there}]
stages:
  - {id: base, type: txt2img, prompt: "a {thing} {place}", batch_size: 2}
  - {id: pick, type: review, takes: base}
  - {id: refine, type: img2img, takes: pick, denoising_strength: 0.4}
"""

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    return tmp_path / "tiny.yaml"


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Carries out a command with a home of the test's own: (status, what it printed, what it complained of)."""

    def call(*words: object) -> tuple[int, str, str]:
        status = main([*map(str, words), "--home", str(tmp_path / "home")])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


def test_from_a_plan_over_choices_to_pictures_and_back_to_the_recipe(call: Call, stub: Stub, recipe: Path, tmp_path: Path):
    assert call("plan", recipe, "--backend", stub.url)[:2] == (
        exit_codes.DONE,
        "Tiny things: 2 items\n"
        "base    items 1-2  will run  new\n"
        "pick    items 1-2  waits     2 to choose from\n"
        "refine  items 1-2  later     planned after the choice in pick\n"
        "2 to run; 0 cached; 2 to choose\n",
    )
    status, printed, _ = call("run", recipe, "--backend", stub.url, "--set", "thing=ring", "--output", tmp_path / "out")
    assert status == exit_codes.WAITING
    assert "pick of item 2 (place there) waits for a choice: 2 pictures\n  1: 01-base/002-1.png\n  2: 01-base/002-2.png\n" in printed
    assert re.search(r"\[1/3\] base: 2 of 2 in .*left", printed)
    assert call("choose", "latest", "pick", 2, "--item", 1)[0] == exit_codes.DONE
    assert "Go on: python -m lib_extension resume" in call("choose", "latest", "pick", 1)[1]
    status, printed, _ = call("resume")
    assert status == exit_codes.DONE
    assert f"6 files are in {tmp_path / 'out'}" in printed
    calls = len(stub.calls)
    picture = tmp_path / "out/03-refine/002-1.png"
    status, printed, _ = call("show", picture, "--save", tmp_path / "again.yaml")
    assert status == exit_codes.DONE
    assert "thing=ring, place=there" in " ".join(printed.split())
    for source in (picture, tmp_path / "again.yaml"):
        assert call("run", source, "--backend", stub.url)[0] == exit_codes.DONE
    assert len(stub.calls) == calls
    assert call("plan", picture, "--backend", stub.url, "--set", "thing=clock")[1].splitlines()[1] == (
        'base    item 1     will run  prompt "a ring here" → "a clock here"'
    )


@pytest.mark.skipif(os.name == "nt", reason="its shell quotes otherwise")
def test_what_to_type_next_can_be_typed(call: Call, stub: Stub, recipe: Path, tmp_path: Path):
    words = ("--axis", "stages.refine.denoising_strength=0.5", "--backend", stub.url)
    out = "  - {id: out, type: export, takes: refine, name: 'a ring $x-{stages.refine.denoising_strength}'}\n"
    recipe.write_text(RECIPE.replace("takes: pick", "takes: base") + out)
    call("run", recipe, *words, "--output", tmp_path / "out")
    picture = tmp_path / "out/04-out/a ring $x-0.5.png"
    printed = call("show", picture)[1]
    assert "stages.refine.denoising_strength=0.5" in printed
    typed = shlex.split(printed.splitlines()[-1])
    assert typed[:6] == ["Make", "it", "again:", "python", "-m", "lib_extension"]
    assert typed[6:8] == ["run", str(picture)]


def test_programs_read_json(call: Call, stub: Stub, recipe: Path):
    told = json.loads(call("plan", recipe, "--backend", stub.url, "--json")[1])
    assert [(one["stage"], one["state"]) for one in told["stages"]] == [("base", "will run")] * 2 + [("pick", "waits")] * 2
    status, printed, complained = call("run", recipe, "--backend", stub.url, "--json")
    told = json.loads(printed)
    assert (status, complained, told["state"]) == (exit_codes.WAITING, "", "waiting")
    assert [len(review["pictures"]) for review in told["reviews"]] == [2, 2]
    assert json.loads(call("runs", "--json")[1])[0]["id"] == told["id"]
    assert json.loads(call("runs", told["id"], "--json")[1])["stages"][0]["state"] == "done"
    assert json.loads(call("choose", told["id"], "pick", 1, "--item", 2, "--json")[1])["reviews"][0]["items"] == [1]
    assert json.loads(call("gc", "--dry-run", "--json")[1]) == {"runs": [], "results": 0, "files": 0, "bytes": 0, "dry_run": True}
    assert json.loads(call("run", "nothing", "--json")[1]) == {"error": "NotFound", "detail": 'There is no recipe "nothing".'}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--set", "thin=x"), 'Did you mean "thing"'),
        (("--rows", "gone.csv"), "gone.csv cannot be read"),
        (("--backend", "ftp://x"), '"ftp://x" is no backend'),
    ],
)
def test_what_was_typed_wrongly_is_named(call: Call, recipe: Path, words: tuple[str, ...], message: str):
    status, _, complained = call("run", recipe, *words)
    assert (status, message in complained, "Traceback" in complained) == (exit_codes.BAD_INPUT, True, False)


def test_preflight_and_lost_backends_have_statuses_of_their_own(call: Call, stub: Stub, recipe: Path):
    recipe.write_text(RECIPE.replace("Euler", "Eule"))
    status, _, complained = call("run", recipe, "--backend", stub.url)
    assert status == exit_codes.REFUSED
    assert "error: base.sampler_name: The backend has no sampler" in complained
    assert complained.endswith("Nothing was started.\n")
    assert call("plan", recipe, "--backend", stub.url)[0] == exit_codes.REFUSED
    assert call("run", recipe, "--backend", "http://127.0.0.1:9")[0] == exit_codes.FAILED


def test_a_failed_stage_is_told_and_its_run_goes_on_later(call: Call, stub: Stub, recipe: Path):
    stub.behaviour["refuse"] = 2
    status, printed, _ = call("run", recipe, "--backend", stub.url)
    assert status == exit_codes.FAILED
    assert "failed: " in printed
    assert "The stub refuses" in printed
    assert call("resume")[0] == exit_codes.WAITING


def test_many_items_are_confirmed(call: Call, stub: Stub, recipe: Path, tmp_path: Path):
    (tmp_path / "rows.csv").write_text("place\n" + "here\n" * 10_001)
    status, _, complained = call("plan", recipe, "--backend", stub.url, "--rows", tmp_path / "rows.csv")
    assert (status, "makes 10,001 items" in complained) == (exit_codes.BAD_INPUT, True)
    assert call("plan", recipe, "--backend", stub.url, "--rows", tmp_path / "rows.csv", "--yes")[0] == exit_codes.DONE


def test_recipes_are_shared_as_one_file(call: Call, stub: Stub, recipe: Path, tmp_path: Path):
    assert call("export", recipe, tmp_path / "shared.zip", "--set", "thing=ring")[0] == exit_codes.DONE
    assert call("import", tmp_path / "shared.zip", "--name", "mine")[1].startswith("Kept as mine. Run it")
    assert call("import", tmp_path / "shared.zip", "--name", "mine")[1].startswith("Kept as mine, in place of the earlier one. Run it")
    assert call("run", "mine", "--backend", stub.url)[0] == exit_codes.WAITING
    assert [body["prompt"] for body in stub.bodies] == ["a ring here", "a ring there"]


def test_garbage_goes_and_what_is_pinned_stays(call: Call, stub: Stub, recipe: Path):
    recipe.write_text(RECIPE.replace("type: review", 'type: review, scores: [{kind: sharpness}], auto: "top 1"'))
    assert call("run", recipe, "--backend", stub.url)[0] == exit_codes.DONE
    run_id = json.loads(call("runs", "--json")[1])[0]["id"]
    assert call("gc", "--pin", run_id)[0] == exit_codes.DONE
    assert "0 runs" in call("gc", "--older-than", 0)[1]
    assert call("gc", "--unpin", run_id)[0] == exit_codes.DONE
    assert "1 runs, 0 results" in call("gc", "--older-than", 0, "--dry-run")[1]  # what was just made may still be needed
    assert "1 runs" in call("gc", "--older-than", 0)[1]
    assert call("runs")[1].startswith("There are no runs yet")


def test_the_password_of_a_backend_comes_from_the_environment_and_is_shown_nowhere(
    call: Call, stub: Stub, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ATELIER_AUTH", "me:geheim")
    said = [call("run", recipe, "--backend", stub.url), call("runs", "latest", "--json")]
    assert all("geheim" not in text for one in said for text in one[1:])
    assert not any(b"geheim" in file.read_bytes() for file in (tmp_path / "home").rglob("*") if file.is_file())
    monkeypatch.setenv("ATELIER_AUTH", "me")
    assert "must be user:password" in call("run", recipe, "--backend", stub.url)[2]


def test_the_schema_is_one(capsys: pytest.CaptureFixture[str]):
    assert main(["schema"]) == exit_codes.DONE
    assert json.loads(capsys.readouterr().out)["title"] == "Recipe"


def test_help_tells_every_command_and_status(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert all(f"    {command.name}" in [line[: 4 + len(command.name)] for line in told.splitlines()] for command in COMMANDS)
    assert "  3    the run waits for a choice" in told


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C cannot be sent to one process there")
def test_ctrl_c_pauses_after_what_is_at_work_and_says_how_to_go_on(call: Call, stub: Stub, recipe: Path, tmp_path: Path):
    stub.delay = 1.0
    words = ["run", str(recipe), "--backend", stub.url, "--home", str(tmp_path / "home")]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "lib_extension", *words], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 60
        while not stub.calls and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == exit_codes.STOPPED
    assert "Pausing after what is at work" in printed
    assert re.search(r"is paused\. Go on with it: python -m lib_extension resume \S+ --home", printed)
    assert len(stub.calls) == 1
    stub.delay = 0
    assert call("resume")[0] == exit_codes.WAITING
    assert len(stub.calls) == 2


def start_elsewhere(stub: Stub, recipe: Path, home: Path) -> subprocess.Popen[str]:
    """A run in a process of its own, which is at its first call."""
    words = ["run", str(recipe), "--backend", stub.url, "--home", str(home)]
    process = subprocess.Popen([sys.executable, "-m", "lib_extension", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not stub.calls and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


@pytest.mark.parametrize(("word", "state", "interrupts"), [("pause", "paused", 0), ("cancel", "cancelled", 1)])
def test_another_process_stops_a_run(call: Call, stub: Stub, recipe: Path, tmp_path: Path, word: str, state: str, interrupts: int):
    stub.delay = 1.0 if word == "pause" else 30.0
    with start_elsewhere(stub, recipe, tmp_path / "home") as process:
        status, printed, complained = call(word)
        assert process.wait(20) == exit_codes.STOPPED
    assert (status, stub.interrupts) == (exit_codes.DONE, interrupts)
    assert f"is {state}" in printed
    assert "Go on with it: python -m lib_extension resume" in printed
    assert complained.endswith("what is at work …\n")
    assert call(word)[:2] == (
        exit_codes.DONE,
        f"Nothing of the run {json.loads(call('runs', '--json')[1])[0]['id']} is at work: it is {state}.\n",
    )
    assert json.loads(call(word, "--json")[1])["state"] == state
    stub.delay = 0
    assert call("resume")[0] == exit_codes.WAITING
    assert call(word, "2024")[0] == exit_codes.BAD_INPUT


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is not there")
def test_a_killed_run_is_not_said_to_be_at_work(call: Call, stub: Stub, recipe: Path, tmp_path: Path):
    stub.delay = 30.0
    with start_elsewhere(stub, recipe, tmp_path / "home") as process:
        assert json.loads(call("runs", "--json")[1])[0]["state"] == "running"
        process.kill()
    told = json.loads(call("runs", "--json")[1])[0]
    assert (told["state"], "resume it" in told["message"]) == ("failed", True)
    stub.delay = 0
    assert call("resume")[0] == exit_codes.WAITING


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C cannot be sent to one process there")
def test_a_second_ctrl_c_stops_at_once(stub: Stub, recipe: Path, tmp_path: Path):
    stub.delay = 30.0
    words = ["run", str(recipe), "--backend", stub.url, "--home", str(tmp_path / "home")]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "lib_extension", *words], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        deadline = time.monotonic() + 60
        while not stub.calls and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        while "Pausing" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert process.returncode == exit_codes.INTERRUPTED
    assert stub.interrupts == 1
