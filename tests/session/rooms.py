"""What tests of sessions share: a session on a stub backend, and a recipe with a choice in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from lib_extension.backend.parse import parse_backend
from lib_extension.pictures.png import encode_png
from lib_extension.runs.records import Run
from lib_extension.session.asked import Asked
from lib_extension.session.home import Home
from lib_extension.session.session import Session
from lib_extension.spec.recipe import Recipe
from tests.runs.workshop import recipe

DRAWING = encode_png(Image.effect_noise((64, 64), 50).convert("RGB"))


@contextmanager
def room(folder: Path, *backends: str) -> Iterator[Session]:
    """A session as a process would open it."""
    session = Session(Home(folder), [parse_backend(spec) for spec in backends])
    try:
        yield session
    finally:
        session.close()


def places(**more: Any) -> Recipe:
    """Two of a thing in each of two places, a choice, and what is made of the chosen ones."""
    stages: list[Mapping[str, Any]] = [
        {"id": "base", "type": "txt2img", "prompt": "a {thing} {place}", "batch_size": 2},
        {"id": "pick", "type": "review", "takes": "base"},
        {"id": "refine", "type": "img2img", "takes": "pick", "denoising_strength": 0.4},
    ]
    inputs = {"thing": {"type": "text", "default": "watch"}, "drawing": {"type": "image", "optional": True}}
    return recipe(*stages, inputs=inputs, rows=[{"place": "here"}, {"place": "there"}], **more)


def carry_out(session: Session, asked: Asked, choices: Mapping[int, list[int]] | None = None) -> Run:
    """Start the run and see it to its end, choosing these pictures for these items (both from 1)."""
    run_id, _ = session.add(asked)
    session.runner.start(run_id)
    run = session.runner.wait(run_id, 60)
    for item, chosen in (choices or {}).items():
        session.choose(run_id, "pick", chosen, item)
    if choices:
        session.runner.start(run_id)
        run = session.runner.wait(run_id, 60)
    return run
