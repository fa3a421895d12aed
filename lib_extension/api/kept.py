"""How is what somebody prepares on a page kept, so that it is there when the page is opened again?"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from lib_extension.spec.errors import BadRequest

MOST_BYTES = 2**20


class Kept:
    """One JSON object in a file of its own."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def get(self) -> dict[str, Any]:
        """What was kept; empty where nothing, or nonsense, is."""
        try:
            held = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return held if isinstance(held, dict) else {}

    def put(self, value: dict[str, Any]) -> None:
        """In place of what was kept, at once. BadRequest for more than a person's settings are."""
        text = json.dumps(value)
        if len(text) > MOST_BYTES:
            raise BadRequest("That is more than what is set on a page.")
        self._file.parent.mkdir(parents=True, exist_ok=True)
        aside = self._file.with_name(f".{self._file.stem}-{secrets.token_hex(4)}.part")
        try:
            aside.write_text(text, encoding="utf-8")
            aside.replace(self._file)
        finally:
            aside.unlink(missing_ok=True)
