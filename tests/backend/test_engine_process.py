"""An engine is started when it is needed, leaves nothing behind, and says why where it cannot start."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import httpx
import pytest

from lib_extension.backend.client import Unreachable
from lib_extension.backend.connection import to_engine


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_answers_until_its_connection_is_closed(temporary: Path):
    connection = to_engine("none")()
    with httpx.Client(transport=connection.transport, base_url=connection.url, timeout=60) as client:
        assert client.get("/internal/ping").status_code == 200
    assert [file.name for file in temporary.glob("*/*")] == ["engine.log"]
    connection.close()
    assert list(temporary.iterdir()) == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{connection.url}/internal/ping", trust_env=False)


def test_one_that_cannot_start_says_why_and_its_log_can_be_read(temporary: Path):
    with pytest.raises(Unreachable, match=r"The engine ended while it started: .*nowhere") as caught:
        to_engine("nowhere")()
    log = re.search(r"all it printed is in (.+)\)", str(caught.value))
    assert log is not None
    assert "nowhere" in Path(log[1]).read_text(encoding="utf-8")
