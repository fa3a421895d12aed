"""Everything that the engine's own OpenAPI says may be asked is asked, with odd values: nothing ends in a 500."""

from __future__ import annotations

from typing import Any

import schemathesis

from tests.engine.running import Running
from tests.openapi import ask_everything

SMALL: dict[str, Any] = {"steps": 1, "width": 64, "height": 64, "n_iter": 1, "batch_size": 1, "enable_hr": False}
"""Where a generated value is valid, one that keeps the machine less busy is sent."""

EXAMPLES = 12
GENERATIONS = ("/sdapi/v1/txt2img", "/sdapi/v1/img2img")


def test_nothing_ends_in_a_500(strict: Running) -> None:
    paths = ask_everything(strict.json("GET", "/openapi.json"), lambda case: check(case, strict), EXAMPLES)
    assert paths >= {*GENERATIONS, "/sdapi/v1/options", "/controlnet/detect", "/internal/progress"}


def check(case: schemathesis.Case, engine: Running) -> None:
    sent = {"json": small(case.path, case.body)} if isinstance(case.body, (dict, list, str, int, float, bool)) else {}
    answer = engine.client.request(case.method, case.formatted_path, params=case.query or None, **sent)
    assert answer.status_code < 500, (case.path, case.body, answer.text[:500])
    assert "Traceback" not in answer.text


def small(path: str, body: Any) -> Any:
    if path not in GENERATIONS or not isinstance(body, dict):
        return body
    busy = {name for name, value in body.items() if name in SMALL and isinstance(value, int) and value > 0}
    return {**SMALL, **{name: value for name, value in body.items() if name not in busy}}
