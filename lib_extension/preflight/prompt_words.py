"""What does a prompt say, roughly: its LoRA tags, its words without marks, and how strongly it stresses some of them?

For warnings alone. What a prompt means exactly, at which step, is the backend's to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lib_extension.formats.clip_tokens import CHUNK, count_tokens

MOST_LOOKED_AT = 50_000  # characters

_LORA = re.compile(r"<(?:lora|lyco):([^:<>]+)((?::[^:<>]*)*)>")
_NETWORK = re.compile(r"<\w+:[^<>]*>")
_EDIT = re.compile(r"(?<!\\)\[([^\[\]:|]*):([^\[\]:|]*):\s*[\d.]+\s*\]|(?<!\\)\[([^\[\]:|]*):\s*[\d.]+\s*\]")
_ALTERNATION = re.compile(r"(?<!\\)\[([^\[\]:]*\|[^\[\]:]*)\]")
_WEIGHT = re.compile(r":\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*\)")
_MARK = re.compile(r"\\([()\[\]\\])|[()\[\]]")
_BREAK = re.compile(r"\bBREAK\b")
_AND = re.compile(r"\bAND\b")


@dataclass(frozen=True)
class LoraTag:
    """A <lora:name:weight> of a prompt; `weight` is the U-Net's."""

    name: str
    weight: float


def lora_tags(prompt: str) -> list[LoraTag]:
    """Those in the prompt, in order."""
    return [LoraTag(found[1].strip(), _unet_weight(found[2])) for found in _LORA.finditer(prompt[:MOST_LOOKED_AT])]


def stresses(prompt: str) -> list[float]:
    """The weights that the prompt writes out, as in (word:1.3)."""
    return [float(found[1]) for found in _WEIGHT.finditer(_NETWORK.sub("", prompt[:MOST_LOOKED_AT]))]


def plain_words(prompt: str) -> str:
    """The prompt without tags, weights and brackets; of words that are exchanged for others, the longer."""
    text = _NETWORK.sub("", prompt[:MOST_LOOKED_AT])
    text = _EDIT.sub(lambda found: max(filter(None, found.groups()), key=len, default=""), text)
    text = _ALTERNATION.sub(lambda found: max(found[1].split("|"), key=len), text)
    return _MARK.sub(lambda found: found[1] or "", _WEIGHT.sub(")", text))


def most_tokens(prompt: str) -> int:
    """Of the longest text that is encoded by itself: prompts are cut at AND and at BREAK."""
    parts = (part for text in _AND.split(plain_words(prompt)) for part in _BREAK.split(text))
    return max(count_tokens(part) for part in parts)


def chunks(tokens: int) -> int:
    """How many pieces such a text is read in."""
    return max(1, -(-tokens // CHUNK))


def _unet_weight(args: str) -> float:
    """ ":0.8", ":0.5:0.8" (text encoder first) or ":te=0.5:unet=0.8"; 1 where none can be read."""
    named = dict(arg.split("=", 1) for arg in args.split(":") if "=" in arg)
    plain = [arg for arg in args.split(":")[1:] if arg and "=" not in arg]
    said = named.get("unet") or (plain[1] if len(plain) > 1 else plain[0] if plain else "1")
    try:
        return float(said)
    except ValueError:
        return 1.0
