from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.serving import Served, served
from tests.runs.stub_backend import Stub, running_stub


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def server(tmp_path: Path, stub: Stub) -> Iterator[Served]:
    with served(tmp_path, stub.url) as server:
        yield server
