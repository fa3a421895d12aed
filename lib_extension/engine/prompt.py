"""What do the marks in a prompt mean: `(emphasis:1.2)`, BREAK, AND with weights, `<lora:name:0.8>`.

The meanings are those of AUTOMATIC1111's WebUI 1.10.1, slips of the pen included: nothing here raises on malformed text, it is
read as the WebUI reads it. Where the WebUI itself fails, the text is taken literally. Edits such as `[from:to:0.5]` stand in
`prompt_schedule`. The WebUI's order is: extra networks, then AND, then the schedule, then emphasis.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from lib_extension.engine.prompt_schedule import schedule
from lib_extension.spec.errors import BadRequest

__all__ = ["BREAK", "ExtraNetwork", "LoraTag", "extra_networks", "lora_tag", "parse_attention", "schedule", "split_and"]

BREAK = ("BREAK", -1.0)  # stands between two texts that must not share a chunk of 75 tokens

_ROUND = 1.1
_SQUARE = 1 / 1.1

_ATTENTION_TOKEN = re.compile(
    r"""
      (?P<escaped>  \\[()\[\]\\]? )
    | (?P<open>     [(\[] )
    | (?P<weight>   :\s*(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))\s*\) )
    | (?P<close>    [)\]] )
    | (?P<text>     [^\\()\[\]:]+ | : )
    """,
    re.VERBOSE,
)
_BREAK = re.compile(r"\s*\bBREAK\b\s*")
_AND = re.compile(r"\bAND\b")
_AND_WEIGHT = re.compile(r"[-+]?(?:\d+\.?|\d*\.\d+)")
_EXTRA_NETWORK = re.compile(r"<(\w+):([^>]+)>")


def parse_attention(text: str) -> list[tuple[str, float]]:
    """Splits a text into pieces of equal emphasis, in order; `BREAK` stands where a new chunk begins. There is at least one piece.

    `(a)` weighs 1.1, `[a]` 1/1.1, `(a:1.3)` 1.3; nested weights multiply; a bracket left open reaches to the end.
    """
    texts: list[str] = []
    weights = np.ones(len(text) + 1)  # of the texts so far; there are never more than characters, and one
    opened: dict[str, list[int]] = {"(": [], "[": []}

    def emphasise(start: int, weight: float) -> None:
        weights[start : len(texts)] *= weight  # 10,000 open brackets are 10^8 products: nothing to do one by one

    with np.errstate(all="ignore"):  # as Python, whose products become infinite in silence
        for token in _ATTENTION_TOKEN.finditer(text):
            match token.lastgroup:
                case "escaped":
                    texts.append(token[0][1:])
                case "open":
                    opened[token[0]].append(len(texts))
                case "weight" if opened["("]:
                    emphasise(opened["("].pop(), float(token["number"]))
                case "close" if token[0] == ")" and opened["("]:
                    emphasise(opened["("].pop(), _ROUND)
                case "close" if token[0] == "]" and opened["["]:
                    emphasise(opened["["].pop(), _SQUARE)
                case _:
                    for piece, weight in _split_at_breaks(token[0]):
                        weights[len(texts)] = weight
                        texts.append(piece)
        for start in opened["("]:
            emphasise(start, _ROUND)
        for start in opened["["]:
            emphasise(start, _SQUARE)
    return _join_equal_weights(list(zip(texts, weights.tolist(), strict=False))) or [("", 1.0)]


def split_and(prompt: str) -> list[tuple[str, float]]:
    """The parts between the word AND, each with the weight after its last colon (1 without one)."""
    return [_part_and_weight(part) for part in _AND.split(prompt)]


@dataclass(frozen=True)
class ExtraNetwork:
    """One `<kind:a:b:name=c>`: `positional` is ("a", "b"), `named` is {"name": "c"}."""

    kind: str
    args: tuple[str, ...]

    @property
    def positional(self) -> tuple[str, ...]:
        return tuple(arg for arg in self.args if arg.count("=") != 1)

    @property
    def named(self) -> dict[str, str]:
        return dict(arg.split("=") for arg in self.args if arg.count("=") == 1)


def extra_networks(prompt: str) -> tuple[str, list[ExtraNetwork]]:
    """The prompt without its `<kind:args>` tags, and the tags in order.

    The WebUI looks for them in positive prompts only, and of a batch heeds those of the first prompt.
    """
    end = prompt.rfind(">") + 1  # beyond it nothing can match, and trying would take quadratic time
    tags = [ExtraNetwork(tag[1], tuple(tag[2].split(":"))) for tag in _EXTRA_NETWORK.finditer(prompt[:end])]
    return _EXTRA_NETWORK.sub("", prompt[:end]) + prompt[end:], tags


@dataclass(frozen=True)
class LoraTag:
    """`<lora:name:text_encoder:unet>`: one number is both weights, none is 1."""

    name: str
    text_encoder_weight: float
    unet_weight: float


def lora_tag(tag: ExtraNetwork) -> LoraTag:
    """Reads a `lora` (or `lyco`) tag. The names `te=` and `unet=` go before positions.

    Raises BadRequest for a tag without a name or with a weight that is no number; the WebUI skips all LoRAs then.
    """
    shown = f"<{tag.kind}:{':'.join(tag.args)}>"
    positional, named = tag.positional, tag.named
    if not positional:
        raise BadRequest(f"{shown} names no LoRA. Write <{tag.kind}:name:weight>.")
    name, *numbers = positional
    text_encoder = named.get("te", numbers[0] if numbers else "1")
    unet = named.get("unet", numbers[1] if len(numbers) > 1 else text_encoder)
    try:
        return LoraTag(name, float(text_encoder), float(unet))
    except ValueError as e:
        raise BadRequest(f"{shown} has a weight that is not a number. Write <{tag.kind}:{name}:0.8>.") from e


def _split_at_breaks(text: str) -> list[tuple[str, float]]:
    first, *rest = _BREAK.split(text)
    pieces = [(first, 1.0)]
    for part in rest:
        pieces += [BREAK, (part, 1.0)]
    return pieces


def _join_equal_weights(pieces: list[tuple[str, float]]) -> list[tuple[str, float]]:
    joined: list[tuple[list[str], float]] = []
    for text, weight in pieces:
        if joined and joined[-1][1] == weight:
            joined[-1][0].append(text)
        else:
            joined.append(([text], weight))
    return [("".join(texts), weight) for texts, weight in joined]


def _part_and_weight(part: str) -> tuple[str, float]:
    text = part.rstrip()
    before, colon, weight = text.rpartition(":")
    if colon and _AND_WEIGHT.fullmatch(weight.lstrip()):
        return before.rstrip(), float(weight)
    return text, 1.0
