"""Ends what tests of backends opened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backend.asked import OPENED


@pytest.fixture(autouse=True)
def _close_backends() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()
