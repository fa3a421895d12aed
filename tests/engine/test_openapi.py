"""Everything that the engine's own OpenAPI says may be asked is asked, with odd values: nothing ends in a 500."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok

from tests.engine.running import Running

SMALL: dict[str, Any] = {"steps": 1, "width": 64, "height": 64, "n_iter": 1, "batch_size": 1, "enable_hr": False}
"""Where a generated value is valid, one that keeps the machine less busy is sent."""

EXAMPLES = 12
GENERATIONS = ("/sdapi/v1/txt2img", "/sdapi/v1/img2img")

bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def test_nothing_ends_in_a_500(strict: Running) -> None:
    document = strict.json("GET", "/openapi.json")
    assert isinstance(document, dict)
    found = schemathesis.openapi.from_dict(document).get_all_operations()
    operations = [each.ok() for each in found if isinstance(each, Ok)]
    assert {operation.path for operation in operations} >= {*GENERATIONS, "/sdapi/v1/options", "/controlnet/detect", "/internal/progress"}
    for operation in operations:

        @bounded
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            check(case, strict)

        ask()


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
