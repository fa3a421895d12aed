from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainer.disks import Mount, mounting


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a small file system with these options; only root can."""
    with mounting(tmp_path / "mounted") as mounted:
        yield mounted
