"""What does a regular expression find in many captions, or make of them, whatever somebody types?

A few signs can keep Python busy for years, such as (a+)+b in a row of a's, and it cannot be interrupted meanwhile: the whole server would
stand still. So what is not sure to be quick is left to a process that can be ended.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from lib_extension.spec.errors import BadRequest

PATIENCE = 10.0  # seconds
_QUICK_LENGTH = 10_000  # letters of a caption: with one repetition, the time goes with their square at most
_REPETITIONS, _GROUP = "*+?{", "("  # what is repeated may be long in many ways only where it is a group
_PROGRAM = """
import json, re, sys
asked = json.loads(sys.stdin.buffer.read())
pattern, by = re.compile(asked["pattern"]), asked["by"]
found = [pattern.search(text) is not None if by is None else pattern.sub(by, text) for text in asked["texts"]]
sys.stdout.buffer.write(json.dumps(found).encode())
"""


def fitting(pattern: str, texts: Sequence[str]) -> list[bool]:
    """Of each text whether the pattern fits anywhere in it. Raises BadRequest where that takes too long."""
    if _is_quick(pattern, texts):
        compiled = re.compile(pattern)
        return [compiled.search(text) is not None for text in texts]
    return _apart(pattern, None, texts)


def substituted(pattern: str, by: str, texts: Sequence[str]) -> list[str]:
    """Each text with `by` in place of what the pattern finds. Raises BadRequest where that takes too long."""
    if _is_quick(pattern, texts):
        compiled = re.compile(pattern)
        return [compiled.sub(by, text) for text in texts]
    return _apart(pattern, by, texts)


def _is_quick(pattern: str, texts: Sequence[str]) -> bool:
    repetitions = sum(map(pattern.count, _REPETITIONS))
    return repetitions <= (_GROUP not in pattern) and max(map(len, texts), default=0) <= _QUICK_LENGTH


def _apart(pattern: str, by: str | None, texts: Sequence[str]) -> list[Any]:
    """By a Python of its own."""
    asked = json.dumps({"pattern": pattern, "by": by, "texts": list(texts)}).encode()
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _PROGRAM],
            input=asked,
            capture_output=True,
            timeout=PATIENCE,
            creationflags=flags,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise BadRequest(
            f'The regular expression "{pattern[:60]}" was looked for longer than {PATIENCE:g} seconds. '
            "Repetitions within repetitions, such as (a+)+, take that long; write it without them."
        ) from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise BadRequest(f'The regular expression "{pattern[:60]}" cannot be looked for; what it makes may be too long.') from error
    return json.loads(done.stdout)
