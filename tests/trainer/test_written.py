"""Is a file whole whoever writes it at the same time?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from trainer.written import write_bytes


def test_several_may_write_one_file_at_once(tmp_path: Path) -> None:
    contents = [bytes([number]) * 50_000 for number in range(8)]
    with ThreadPoolExecutor(8) as writers:
        for future in [writers.submit(write_bytes, tmp_path / "keys.json", content) for content in contents * 5]:
            future.result()
    assert (tmp_path / "keys.json").read_bytes() in contents
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]
