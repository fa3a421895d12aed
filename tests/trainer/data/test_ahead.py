from __future__ import annotations

import threading

import pytest

from trainer.data.ahead import Ahead, made_ahead


def test_things_come_in_order_and_only_a_few_are_made_ahead():
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return number * 2

    most = 0
    for at, (item, result) in enumerate(made_ahead(make, range(20), depth=3)):
        assert (item, result) == (at, at * 2)
        most = max(most, len(made) - at)
    assert most <= 4
    assert made == list(range(20))


def test_a_failure_comes_out_where_the_thing_is_asked_for():
    def make(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    found = made_ahead(make, range(9))
    assert [next(found)[1] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(found)


def test_any_number_can_be_asked_for():
    ahead = Ahead(lambda number: number * 2)
    assert [ahead.at(number) for number in (0, 1, 2, 50, 51, 3, 3, 0)] == [0, 2, 4, 100, 102, 6, 6, 0]
    ahead.close()
    assert not any(thread.name.startswith("data") for thread in threading.enumerate())


def test_the_next_is_made_while_this_one_is_used():
    wanted = threading.Event()

    def make(number: int) -> int:
        if number == 1:
            wanted.set()
        return number

    ahead = Ahead(make)
    ahead.at(0)
    assert wanted.wait(10)
    ahead.close()
