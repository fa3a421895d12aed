"""How is everything asked that an OpenAPI document says may be asked? With odd values that fit its schemas, some of each operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok

_bounded = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def ask_everything(document: Any, ask: Callable[[schemathesis.Case], None], examples: int) -> set[str]:
    """Has so many cases of each operation asked by `ask`. The answer is the paths."""
    found = schemathesis.openapi.from_dict(document).get_all_operations()
    operations = [each.ok() for each in found if isinstance(each, Ok)]
    for operation in operations:

        @settings(_bounded, max_examples=examples)
        @given(case=operation.as_strategy())
        def asked(case: schemathesis.Case) -> None:
            ask(case)

        asked()
    return {operation.path for operation in operations}
