"""Where are the WebUI's recorded answers to prompts?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "webui"


def recorded(name: str) -> list[Any]:
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
