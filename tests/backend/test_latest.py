"""The latest answers: waited for a moment only, asked again when they are old, and never in each other's way."""

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


def test_an_answer_that_comes_at_once_is_told_at_once():
    """It may come before whoever asked has done more than ask; many times, as it is a question of microseconds."""
    for _ in range(300):
        latest = Latest(lambda name: name.upper(), fresh=10)
        answers: list[str | None] = []
        asking = threading.Thread(target=lambda latest=latest, answers=answers: answers.append(latest.get("a", 5)), daemon=True)
        asking.start()
        asking.join(5)
        latest.close()
        assert answers == ["A"]


def test_somebody_slow_is_not_waited_for_but_heard_later():
    latest = Latest(lambda name: time.sleep(0.2) or name, fresh=10)
    assert latest.get("a", 0.01) is None
    assert latest.get("a", 5) == "a"
    latest.close()


def test_an_old_answer_is_asked_anew():
    count = iter(range(10))
    latest = Latest(lambda _: next(count), fresh=0)
    assert [latest.get("a", 5), latest.get("a", 5)] == [0, 1]
    latest.close()


def test_what_asking_raises_is_raised_and_asked_again():
    answers = iter([ValueError("gone"), "there"])

    def ask(_: str) -> str:
        if isinstance(answer := next(answers), ValueError):
            raise answer
        return answer

    latest = Latest(ask, fresh=10)
    with pytest.raises(ValueError, match="gone"):
        latest.get("a", 5)
    assert latest.get("a", 5) == "there"
    latest.close()


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


def test_only_so_many_answers_are_kept():
    slow = Slow()
    slow.may.set()
    latest = Latest(slow, fresh=100)
    for number in range(100):
        latest.get(str(number), 5)
    assert latest.get("99", 5) == 1
    assert latest.get("0", 5) == 2
