"""Which text does a prompt mean at which step: `[from:to:when]` edits and `[a|b]` alternation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from lark import Lark, Token, Tree
from lark.exceptions import LarkError

from lib_extension.spec.errors import TooLarge

# Outside of every bracket, a bracket or colon that belongs to nothing is text (LOOSE). A `|` or a trailing backslash there makes
# the whole prompt literal. The grammar is ambiguous: where marks are left over, several readings fit. The WebUI's library then
# takes one of them, which may differ from one start of the WebUI to the next; here the priorities favour the most edits.
_GRAMMAR = r"""
    start: (_piece | LOOSE)*
    span: _piece*
    _piece: edit | alternation | group | TEXT
    edit: "[" [span ":"] span ":" WHEN "]"
    alternation: "[" span ("|" span)+ "]"
    !group: "(" span [":" span] ")" | "[" span "]"
    LOOSE: /[\[\]():]/
    TEXT: /(?:[^\\\[\]():|]|\\.)+/
    WHEN: /\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*/
"""
_PARSER = Lark(_GRAMMAR, parser="earley")
_BRACKET = re.compile(r"\\.|[\[\]()]", re.DOTALL)
_PLAIN = re.compile(r"(?:[^\\|]|\\.)*")

MAX_NESTING = 100  # of brackets; a prompt with more is literal, where the WebUI runs out of stack
MAX_TOGETHER = 5_000  # characters; the grammar takes about 0.4 ms for each


@dataclass(frozen=True)
class _Pass:
    """The numbers that `when` is read against: in the second pass they go on where the first pass's end."""

    steps: int
    steps_before: int = 0

    def last_step(self, when: str) -> int:
        """The last step before the edit, 0 for none: with a point `when` is a part of the pass (1.x in the second), else a step."""
        value = float(when)
        if "." in when:
            value = (value - (1.0 if self.steps_before else 0.0)) * self.steps
        else:
            value -= self.steps_before
        return int(min(max(value, 0), self.steps))


@lru_cache(maxsize=256)
def schedule(prompt: str, steps: int, base_steps: int | None = None) -> tuple[tuple[int, str], ...]:
    """The texts of a prompt, each with the last step (of 1 to `steps`) that it is meant for, in order; the last one reaches `steps`.

    `base_steps`, the steps of the first pass, is given for the second pass of a highres fix and for nothing else.
    """
    tree = _parse(prompt)
    if tree is None:
        return ((steps, prompt),)
    in_pass = _Pass(steps, base_steps or 0)
    return tuple((step, _text_at(tree, step, in_pass)) for step in sorted(_last_steps(tree, in_pass)))


def _parse(prompt: str) -> Tree[Token] | None:
    """None where the prompt is literal: most are, and parsing takes time. Raises TooLarge for what would take the grammar minutes."""
    if "[" not in prompt or not (":" in prompt or "|" in prompt) or _nesting(prompt) > MAX_NESTING:
        return None
    pieces: list[Tree[Token] | Token] = []
    for part in _parts(prompt):
        tree = _parse_part(part) if _has_brackets(part) else _plain(part)
        if tree is None:
            return None
        pieces += tree.children
    return Tree("start", pieces)


def _plain(text: str) -> Tree[Token] | None:
    return Tree("start", [Token("TEXT", text)]) if _PLAIN.fullmatch(text) else None


@lru_cache(maxsize=1024)
def _parse_part(part: str) -> Tree[Token] | None:
    if len(part) > MAX_TOGETHER:
        raise TooLarge(
            f"Brackets in the prompt reach over {len(part)} characters, or one of them has no partner; {MAX_TOGETHER} can be read "
            "together. Close each bracket, or write a backslash before those that are meant as characters."
        )
    try:
        return _PARSER.parse(part)
    except LarkError:
        return None


def _parts(prompt: str) -> list[str]:
    """The outermost brackets and the texts between them, which can be read one by one; or all of it, where a bracket lacks its partner."""
    parts: list[str] = []
    opened: list[str] = []
    start = 0
    for mark in _BRACKET.finditer(prompt):
        if mark[0] in "([":
            if not opened:
                parts.append(prompt[start : mark.start()])
                start = mark.start()
            opened.append(mark[0])
        elif mark[0] in ")]":
            if not opened or opened.pop() + mark[0] not in ("()", "[]"):
                return [prompt]
            if not opened:
                parts.append(prompt[start : mark.end()])
                start = mark.end()
    return [prompt] if opened else [part for part in (*parts, prompt[start:]) if part]


def _has_brackets(text: str) -> bool:
    return any(mark[0] in "()[]" for mark in _BRACKET.finditer(text))


def _nesting(prompt: str) -> int:
    """At most so deep are brackets nested (escaped ones count too)."""
    depth = deepest = 0
    for character in prompt:
        if character in "([":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]":
            depth = max(0, depth - 1)
    return deepest


def _last_steps(tree: Tree[Token], in_pass: _Pass) -> set[int]:
    steps: set[int] = set()
    for node in tree.iter_subtrees():
        if node.data == "edit":
            steps.add(in_pass.last_step(str(node.children[-1])))
        elif node.data == "alternation":
            steps.update(range(1, in_pass.steps + 1))
    return (steps - {0}) | {in_pass.steps}


def _text_at(node: Tree[Token] | Token | None, step: int, in_pass: _Pass) -> str:
    if node is None:
        return ""
    if isinstance(node, Token):
        return str(node)
    if node.data == "edit":
        before, after, when = node.children
        chosen = [before if step <= in_pass.last_step(str(when)) else after]
    elif node.data == "alternation":
        chosen = [node.children[(step - 1) % len(node.children)]]
    else:
        chosen = node.children
    return "".join(_text_at(child, step, in_pass) for child in chosen)
