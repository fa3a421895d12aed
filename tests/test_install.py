"""Does install.py keep its word: nothing when called bare, one message when it cannot, seconds when there is nothing to do?

The commands run for real in a copy of the project whose locks name one tiny package, which is made here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_extension.setup.environment import Environment, Group
from lib_extension.setup.installer import InstallError

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("install.py", "lib_extension/__init__.py", "lib_extension/formats", "lib_extension/setup", "lib_extension/spec")
LOCKS = "lib_extension/locks"


def make_wheel(folder: Path, version: str) -> None:
    """A package "tiny" that pip can install without a network."""
    about = f"tiny-{version}.dist-info"
    files = {
        "tiny.py": f"version = {version!r}\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{about}/RECORD"))
    with zipfile.ZipFile(folder / f"tiny-{version}-py3-none-any.whl", "w") as wheel:
        for name, text in {**files, f"{about}/RECORD": record}.items():
            wheel.writestr(name, text)


def write_locks(project: Path, text: str) -> None:
    """The same lock for every group and every Python."""
    (project / LOCKS).mkdir(parents=True, exist_ok=True)
    for group in ("worker", "tests", "controlnet-aux"):
        for pythons in ("py310", "py311"):
            (project / LOCKS / f"{group}-{pythons}.txt").write_text(text, encoding="utf-8")


def copy_project(folder: Path, lock: str) -> Path:
    """As much of the project as the command `worker` needs, with another lock."""
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    write_locks(folder, lock)
    return folder


def call(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(project / "install.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables}, timeout=300, check=False)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    make_wheel(folder, "1.0")
    make_wheel(folder, "2.0")
    return folder


# Runs a program and prints every event that means work: processes, connections, and files that are opened to be written.
WATCHED = """
import os, sys
seen = []
def watch(event, arguments):
    if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        seen.append(str(arguments[0]))
    elif event.startswith(("subprocess.", "socket.", "os.mkdir", "os.rename", "os.remove", "os.exec", "os.posix_spawn", "os.system")):
        seen.append(event)
program = compile(open("install.py").read(), "install.py", "exec")
sys.argv = ["install.py"]
before = set(sys.modules)
sys.addaudithook(watch)
try:
    exec(program, {"__name__": "__main__"})
except SystemExit:
    pass
print(seen, sorted(set(sys.modules) - before))
"""


def test_called_bare_it_says_nothing_to_the_webui() -> None:
    done = call(ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_called_bare_it_does_nothing_and_imports_nothing() -> None:
    """So that it takes no time at each of the WebUI's starts, however busy the machine."""
    done = subprocess.run([sys.executable, "-B", "-c", WATCHED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[] []\n"


def test_what_is_watched_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "install.py").write_text(
        "import argparse, subprocess, sys\nopen('x', 'w').close()\nsubprocess.run([sys.executable, '-V'])\n"
    )
    done = subprocess.run([sys.executable, "-B", "-c", WATCHED], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "'x'" in done.stdout
    assert "subprocess.Popen" in done.stdout
    assert "argparse" in done.stdout


def old_pythons() -> list[Path]:
    """Interpreters below 3.10 that this machine happens to have."""
    folders = [Path.home() / ".pyenv" / "versions", Path(os.environ.get("PYENV_ROOT", "/nowhere")) / "versions"]
    found = {python.resolve() for folder in folders for python in folder.glob("[23].*/bin/python")}
    return sorted(python for python in found if python.parents[1].name.split(".")[:2] in (["2", "7"], *(["3", str(m)] for m in range(10))))


@pytest.mark.parametrize("python", old_pythons() or [None], ids=lambda python: python.parents[1].name if python else "none here")
def test_a_python_that_is_too_old_is_told_so(python: Path | None) -> None:
    if python is None:
        pytest.skip("no Python below 3.10 on this machine")
    done = subprocess.run([str(python), "install.py", "demo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Atelier needs Python 3.10 or later, and this is Python ")
    assert len(done.stderr.splitlines()) == 1


def test_an_old_python_can_read_it() -> None:
    compile_as_python_2 = (ROOT / "install.py").read_bytes()
    assert compile_as_python_2.isascii()
    assert b"import annotations" not in compile_as_python_2  # a syntax error before 3.7


@pytest.mark.parametrize("arguments", [("wroker",), ("worker", "--updaet"), ("worker", "--update", "--remove")])
def test_a_wrong_command_line_is_refused_without_a_trace(arguments: tuple[str, ...]) -> None:
    done = call(ROOT, *arguments)
    assert done.returncode == 2
    assert "usage: install.py" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> tuple[Path, str]:
    """A copy of the project whose environment was made, and what that printed."""
    project = copy_project(tmp_path_factory.mktemp("made") / "project", offline(wheels, "1.0"))
    done = call(project, "worker")
    assert (done.returncode, done.stderr) == (0, "")
    return project, done.stdout


def offline(wheels: Path, version: str) -> str:
    return f"--no-index\n--find-links {wheels.as_uri()}\ntiny=={version}\n"


def test_without_a_network_one_message_says_so(made: tuple[Path, str], tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(made[0], project, symlinks=True)
    write_locks(project, "tiny==3.0\n")
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    done = call(project, "worker", **nowhere, UV_DEFAULT_INDEX="http://127.0.0.1:9/simple")
    assert done.returncode == 1
    assert done.stderr.startswith("Atelier: The package index cannot be reached")
    assert len(done.stderr.splitlines()) == 1
    assert not (project / ".venv" / "atelier.json").exists()  # what was begun counts as half made


def test_the_environment_is_made_once_completed_repaired_and_removed(made: tuple[Path, str], wheels: Path) -> None:
    project, printed = made
    environment = Environment(project / ".venv", project / LOCKS)
    assert [line.split(" ")[0] for line in printed.splitlines()] == ["Making", "Installing", "Installing", "The"]
    assert (environment.folder / "controlnet-aux" / "tiny.py").is_file()

    again = call(project, "worker")
    assert again.stdout.splitlines() == [f"The worker's environment is ready: {environment.python}"]

    # A new lock, as after an update of the project, is installed over the old one.
    write_locks(project, offline(wheels, "2.0"))
    assert "Making" not in call(project, "worker").stdout
    version = subprocess.run(
        [str(environment.python), "-c", "import tiny; print(tiny.version)"], capture_output=True, text=True, check=True
    )
    assert version.stdout == "2.0\n"

    # What somebody changed, what was cut off half-way, and what does not start are seen, and cleared away to be made anew.
    for damage, told in ((change_package, "no longer has the packages"), (cut_off, "is only half made"), (break_python, "does not start")):
        said: list[str] = []
        damaged = Environment(project / damage.__name__, project / LOCKS, said.append)
        shutil.copytree(environment.folder, damaged.folder, symlinks=True)
        damage(damaged)
        damaged.ensure()
        assert said[0].startswith(f"{damage.__name__} {told}")
        assert not damaged.folder.exists()

    assert call(project, "worker", "--remove").returncode == 0
    assert sorted(path.name for path in project.iterdir()) == ["install.py", "lib_extension"]


def change_package(environment: Environment) -> None:
    (about,) = environment.folder.rglob("site-packages/tiny-2.0.dist-info")
    shutil.rmtree(about)


def cut_off(environment: Environment) -> None:
    (environment.folder / "atelier.json").unlink()


def break_python(environment: Environment) -> None:
    environment.python.unlink()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8M", "tmpfs", str(disk)], capture_output=True, check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_too_little_disk_space_is_said_before_anything_is_done(tiny_disk: Path) -> None:
    project = copy_project(tiny_disk, "tiny==1.0\n")
    done = call(project, "worker")
    assert done.returncode == 1
    assert done.stderr.startswith("Atelier: Not enough disk space: about 3,000 MB are needed in ")
    assert not (project / ".venv").exists()


def test_a_disk_that_fills_up_is_said_too(tiny_disk: Path) -> None:
    copy_project(tiny_disk, "tiny==1.0\n")
    environment = Environment(tiny_disk / ".venv", tiny_disk / LOCKS, say=lambda line: None)
    with pytest.raises(InstallError, match="The disk is full"):
        environment.ensure(Group("worker", megabytes=1))


def test_the_locks_pin_every_package() -> None:
    for lock in (ROOT / LOCKS).glob("*.txt"):
        lines = [line for line in lock.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        assert lines == sorted(lines, key=lambda line: line.split("==")[0])
        assert all("==" in line for line in lines), lock.name
        assert not any(line.startswith(("nvidia", "triton")) for line in lines), lock.name
        if lock.name.startswith(("worker", "tests")):
            assert not any(line.startswith(("torchvision", "timm")) for line in lines), lock.name


def test_the_stamp_is_written_last(tmp_path: Path) -> None:
    environment = Environment(tmp_path / ".venv", tmp_path, say=lambda line: None)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "atelier.json").write_text(json.dumps({"python": "2.7", "unknown": 1}), encoding="utf-8")
    assert environment.installed_torch_index() == ""  # a stamp of another form counts as none
