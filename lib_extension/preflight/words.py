"""Is a prompt longer, or louder, than a text encoder can make sense of?"""

from __future__ import annotations

from collections.abc import Iterator

from lib_extension.formats.clip_tokens import CHUNK
from lib_extension.preflight.finding import Finding
from lib_extension.preflight.look import Look
from lib_extension.preflight.prompt_words import chunks, most_tokens, plain_words, stresses

MOST_THINGS = 40  # parts between commas
MOST_STRESSED = 10
LOUDEST = 1.6

_READS_MORE = ("sd3", "flux")  # T5 reads 256 tokens or more at once


def prompt_over_75_tokens(look: Look) -> Iterator[Finding]:
    """CLIP reads 75 at once; what is longer is read in pieces."""
    if look.drawn is None or look.family in _READS_MORE:
        return
    for field in ("prompt", "negative_prompt"):
        tokens = most_tokens(getattr(look.drawn, field))
        if tokens > CHUNK:
            yield look.warning(
                field,
                f"The {field.replace('_', ' ')} has {tokens} tokens. The text encoder reads {CHUNK} at once, so it is read in "
                f"{chunks(tokens)} pieces that know nothing of each other, and each word counts for less. Shorten it, put what matters "
                "first, or part it with BREAK where a thought ends.",
            )


def overloaded_prompt(look: Look) -> Iterator[Finding]:
    """More than a picture can show, or all of it shouted."""
    if look.drawn is None:
        return
    prompt = look.drawn.prompt
    things = [thing.strip().lower() for thing in plain_words(prompt).replace("\n", ",").split(",") if thing.strip()]
    weights = stresses(prompt)
    loudest = max(weights, default=1.0)
    if len(things) > MOST_THINGS:
        yield look.warning(
            "prompt",
            f"The prompt names {len(things)} things. What one picture cannot hold is mixed or left out at random: keep the "
            f"{MOST_THINGS} that matter, or draw some of them in a stage of their own.",
        )
    twice = next((thing for place, thing in enumerate(things) if thing in things[:place] and len(thing) > 2), None)
    if twice is not None:
        yield look.warning(
            "prompt", f'The prompt says "{twice}" twice, which stresses it by chance. Say it once, as ({twice}:1.2) if need be.'
        )
    if len(weights) > MOST_STRESSED:
        yield look.warning(
            "prompt", f"{len(weights)} parts of the prompt are stressed; where all is stressed, nothing is. Keep two or three."
        )
    if loudest > LOUDEST:
        yield look.warning(
            "prompt", f"A part of the prompt is stressed by {loudest:g}; above {LOUDEST:g} it breaks the picture. Use 1.1 to 1.4."
        )
