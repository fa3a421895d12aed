"""Is a file whole whoever writes it at the same time, and a folder whoever is ended while it is written?"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import NoReturn

import pytest

from trainer.written import fill, new_folder, settle, write_bytes

RENAMED = Path.replace


def test_several_may_write_one_file_at_once(tmp_path: Path) -> None:
    contents = [bytes([number]) * 50_000 for number in range(8)]
    with ThreadPoolExecutor(8) as writers:
        for future in [writers.submit(write_bytes, tmp_path / "keys.json", content) for content in contents * 5]:
            future.result()
    assert (tmp_path / "keys.json").read_bytes() in contents
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]


class Killed(BaseException):
    """Stands for the end of the process: nothing after it is carried out."""


def killed(*_: object) -> NoReturn:
    raise Killed


@pytest.mark.parametrize("moment", range(4))
def test_a_folder_that_is_written_anew_is_always_there(moment: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a run saves the step again whose state is its only one."""
    folder = tmp_path / "step-000010"
    write(folder, b"old")
    with monkeypatch.context() as patched:
        moments = count()

        def until(act: Callable[..., Path]) -> Callable[..., Path]:
            return lambda *given: killed() if next(moments) >= moment else act(*given)

        patched.setattr(Path, "replace", until(RENAMED))
        patched.setattr("trainer.written.shutil.rmtree", lambda *_, **__: None)
        patched.setattr("trainer.written._bring_back", killed)
        with pytest.raises(Killed):
            write(folder, b"new")
    settle(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert (folder / "weights").read_bytes() == (b"new" if moment >= 2 else b"old")


def test_a_folder_whose_name_somebody_holds_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "step-000010"
    write(folder, b"old")

    def held(path: Path, to: Path) -> Path:
        if path.suffix == ".part":
            raise PermissionError(13, "held")
        return RENAMED(path, to)

    monkeypatch.setattr(Path, "replace", held)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(PermissionError):
        write(folder, b"new")
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert (folder / "weights").read_bytes() == b"old"


def write(folder: Path, data: bytes) -> None:
    with new_folder(folder) as made:
        fill(made / "weights", data)
