"""What is a command? Its name, its words, and what it does; `main.COMMANDS` lists them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """A line of COMMANDS."""

    name: str
    about: str
    add_words: Callable[[argparse.ArgumentParser], None]
    carry_out: Callable[[argparse.Namespace], int]  # gives the exit status; AtelierError is told by `main`
