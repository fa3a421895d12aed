"""Which recipe is being edited? One draft a home, whoever looks at it: kept at each edit, whether it can be planned yet or not."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_extension.runs.database import Database
from lib_extension.runs.storage import disk_errors
from lib_extension.spec.errors import AtelierError

_WHAT = "The draft"
_HASH = re.compile(r"\b[0-9a-f]{64}\b")
_FORM = ("revision", "recipe", "inputs", "base", "changed")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What is edited. `revision` grows with each edit; 0 stands for none yet."""

    revision: int = 0
    recipe: Mapping[str, Any] | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    base: str = ""  # the recipe that it was when it was opened
    changed: bool = False  # since then


class Stale(AtelierError):
    """Somebody else has edited the draft meanwhile; `draft` is what it is now."""

    status = 409

    def __init__(self, draft: Draft) -> None:
        super().__init__("The recipe was edited elsewhere meanwhile, in another window or on another machine.")
        self.draft = draft


IsChanged = Callable[[str, Mapping[str, Any] | None, Mapping[str, Any]], bool]


class Drafts:
    """The draft of a home, in a file."""

    def __init__(self, file: Path, database: Database, is_changed: IsChanged) -> None:
        """`database`: the home's, whose right to write makes several processes take turns."""
        self._file = file
        self._database = database
        self._is_changed = is_changed

    def get(self) -> Draft:
        """The draft as it is now."""
        return read_draft(self._file)

    def keep(self, revision: int, recipe: Mapping[str, Any] | None, inputs: Mapping[str, Any], base: str) -> Draft:
        """Put this in place of the draft of that revision. Stale where there is a newer one."""
        changed = self._is_changed(base, recipe, inputs)
        with self._database.write():
            now = self.get()
            if now.revision and now.revision != revision:
                raise Stale(now)
            draft = Draft(revision=max(now.revision, revision) + 1, recipe=recipe, inputs=inputs, base=base, changed=changed)
            self._write(draft)
        return draft

    def _write(self, draft: Draft) -> None:
        aside = self._file.with_name(f".{secrets.token_hex(8)}.part")
        with disk_errors(_WHAT):
            try:
                aside.write_text(json.dumps(draft_told(draft), ensure_ascii=True), "utf-8")
                aside.replace(self._file)
            finally:
                aside.unlink(missing_ok=True)


def read_draft(file: Path) -> Draft:
    """The draft in a home's file; one without a recipe where there is none, or where the file is damaged."""
    with disk_errors(_WHAT):
        try:
            told = json.loads(file.read_bytes())
        except (FileNotFoundError, ValueError, RecursionError):
            return Draft()
    fits = isinstance(told, dict) and told.keys() == set(_FORM) and isinstance(told["inputs"], dict)
    return Draft(**told) if fits else Draft()


def draft_told(draft: Draft) -> dict[str, Any]:
    """As JSON."""
    return {name: getattr(draft, name) for name in _FORM}


def pictures_of(draft: Draft) -> set[str]:
    """The ids of all pictures that the draft names."""
    return set(_HASH.findall(json.dumps([draft.recipe, draft.inputs])))
