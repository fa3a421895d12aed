"""Errors carry their HTTP status, and a wrong name finds the right one."""

import pytest

from lib_extension.spec import errors


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("Eular a", ["Euler", "Euler a", "DDIM"], ' Did you mean "Euler a"?'),
        ("EULER A", ["Euler a"], ' Did you mean "Euler a"?'),
        ("zzz", ["Euler a"], ""),
        ("", ["Euler a"], ""),
        ("x", [], ""),
    ],
)
def test_near_miss(name: str, known: list[str], hint: str):
    assert errors.near_miss(name, known) == hint


def test_statuses():
    told = {cls.__name__: cls.status for cls in errors.AtelierError.__subclasses__()}
    wanted = {"BadRequest": 422, "NotFound": 404, "BadFile": 422, "Mismatch": 422, "TooLarge": 413, "Busy": 503, "Interrupted": 409}
    assert wanted.items() <= told.items()
