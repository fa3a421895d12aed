from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from lib_extension.backend.latest import Latest


class Slow:
    """Answers when it may, with how often it was asked."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.asked: Counter[str] = Counter()

    def __call__(self, name: str) -> int:
        self.asked[name] += 1
        number = self.asked[name]
        assert self.may.wait(10)
        return number


def test_nobody_waits_longer_than_they_said():
    slow = Slow()
    latest = Latest(slow, fresh=10)
    begun = time.monotonic()
    assert latest.get("a", 0.05) is None
    assert time.monotonic() - begun < 2
    slow.may.set()
    assert latest.get("a", 5) == 1
    assert latest.get("a", 5) == 1
    assert slow.asked == {"a": 1}


def test_while_it_is_asked_anew_the_last_answer_counts():
    slow = Slow()
    slow.may.set()
    latest = Latest(slow, fresh=0)
    assert latest.get("a", 5) == 1
    slow.may.clear()
    assert latest.get("a", 0.05) == 1
    assert latest.get("a", 0.05) == 1
    assert slow.asked == {"a": 2}  # it is not asked twice at once
    slow.may.set()
    assert latest.get("a", 5) == 2


def test_what_goes_wrong_is_told_and_tried_again():
    answers = iter([ValueError("off"), "on"])

    def ask(name: str) -> str:
        answer = next(answers)
        if isinstance(answer, ValueError):
            raise answer
        return answer

    latest = Latest(ask, fresh=10)
    with pytest.raises(ValueError, match="off"):
        latest.get("a", 5)
    assert latest.get("a", 5) == "on"


def test_only_so_many_answers_are_kept():
    slow = Slow()
    slow.may.set()
    latest = Latest(slow, fresh=100)
    for number in range(100):
        latest.get(str(number), 5)
    assert latest.get("99", 5) == 1
    assert latest.get("0", 5) == 2
