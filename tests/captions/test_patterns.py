"""Are regular expressions looked for as Python does, and given up where they would never end?"""

from __future__ import annotations

import re
import time

import pytest

from lib_extension.captions import patterns
from lib_extension.captions.patterns import fitting, substituted
from lib_extension.spec.errors import BadRequest

TEXTS = ["sks, red mug", "", "ünï ☕, mug", "a " * 6000]


@pytest.mark.parametrize(
    ("pattern", "by"), [("mug", "cup"), (r"(\w+) mug", r"mug, \1"), ("^$", "none"), (r"(?i)[a-z]+(, )?", "<\\g<0>>"), ("☕", "\\\\")]
)
def test_they_do_as_python_does(pattern: str, by: str):
    assert fitting(pattern, TEXTS) == [re.search(pattern, text) is not None for text in TEXTS]
    assert substituted(pattern, by, TEXTS) == [re.sub(pattern, by, text) for text in TEXTS]
    assert (fitting(pattern, []), substituted(pattern, by, [])) == ([], [])


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b"])
def test_what_would_take_for_ever_is_given_up(pattern: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(patterns, "PATIENCE", 0.5)
    start = time.monotonic()
    for look in (lambda: fitting(pattern, ["a" * 39]), lambda: substituted(pattern, "", ["a" * 39])):
        with pytest.raises(BadRequest, match=r"longer than 0\.5 seconds"):
            look()
    assert time.monotonic() - start < 10
