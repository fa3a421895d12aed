"""Do edits and alternation change a prompt at the steps at which they do in the WebUI?"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extension.engine.prompt_schedule import MAX_NESTING, MAX_TOGETHER, schedule
from lib_extension.spec.errors import TooLarge
from tests.engine.webui_recordings import recorded


def test_schedules_are_the_webuis():
    wrong = []
    for prompt, steps, second_pass_steps, texts in recorded("schedules"):
        ours = schedule(prompt, steps) if second_pass_steps is None else schedule(prompt, second_pass_steps, base_steps=steps)
        if [list(text) for text in ours] != texts:
            wrong.append((prompt, steps, second_pass_steps, ours, texts))
    assert wrong == []


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("a[b:c:3](", ((3, "ab("), (10, "ac("))),
        ("[a:b:3]::2)a", ((3, "a::2)a"), (10, "b::2)a"))),
        ("]:[a:b:3]( :", ((3, "]:a( :"), (10, "]:b( :"))),
    ],
)
def test_an_edit_beside_loose_marks_is_honoured(prompt: str, texts: tuple[tuple[int, str], ...]):
    """The WebUI reads each of these in two ways, now one, now the other."""
    assert schedule(prompt, 10) == texts


def test_a_reading_does_not_change_from_one_start_to_the_next():
    code = "from lib_extension.engine.prompt_schedule import schedule; print(schedule('[[a:b:3]:[c| ::[d:e:.5]):[f|g]](:7]', 10))"
    answers = {
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert len(answers) == 1


@given(st.text(st.sampled_from("ab :()[]|\\.15"), max_size=24), st.integers(1, 30), st.none() | st.integers(1, 30))
@settings(deadline=None)
def test_anything_can_be_read(prompt: str, steps: int, base_steps: int | None):
    texts = schedule(prompt, steps, base_steps)
    ends = [end for end, _ in texts]
    assert ends == sorted(set(ends))
    assert ends[-1] == steps
    assert ends[0] >= 1


@pytest.mark.parametrize("when", ["1e999", "-1e999", "99999999999999999999", "0.0000001"])
def test_a_step_out_of_range_is_the_nearest(when: str):
    texts = schedule(f"[a:b:{when}]", 10)
    assert texts in (((10, "a"),), ((10, "b"),))


def test_brackets_nested_too_deep_are_text():
    deep = "[" * (MAX_NESTING + 1) + "a:b:3" + "]" * (MAX_NESTING + 1)
    assert schedule(deep, 10) == ((10, deep),)
    assert len(schedule(deep[1:-1], 10)) == 2


def test_any_number_of_edits_can_be_read():
    """Each by itself: the grammar would take seconds for all of them together."""
    prompt = "[a|b] " * 3_300
    assert schedule(prompt, 20)[:2] == ((1, "a " * 3_300), (2, "b " * 3_300))
    assert schedule("[a:b:3]" + "c: " * 6_000, 20) == ((3, "a" + "c: " * 6_000), (20, "b" + "c: " * 6_000))
    assert schedule("[a:b:3]" + "c" * 6_000 + "|", 20) == ((20, "[a:b:3]" + "c" * 6_000 + "|"),)


@pytest.mark.parametrize("prompt", ["[" + "a|" * MAX_TOGETHER + "]", "[a:b:3] [" + "a" * MAX_TOGETHER, "[a:b:3])" + "a" * MAX_TOGETHER])
def test_brackets_that_reach_too_far_are_refused(prompt: str):
    with pytest.raises(TooLarge, match="Close each bracket"):
        schedule(prompt, 20)
