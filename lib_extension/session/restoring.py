"""Which recipe made this picture? Told by the picture itself, by the file beside it, or by the ledger that knows its id or its hash."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from lib_extension.backend.parse import parse_backend
from lib_extension.backend.pool import Pool
from lib_extension.pictures.png import open_picture
from lib_extension.plan import Plan
from lib_extension.plan.recipe_files import MOST_PICTURE
from lib_extension.runs.blobs import Blobs
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.lineage import Lineage, id_in, lineage_in, lineage_of, read_lineage
from lib_extension.runs.planning import Planning
from lib_extension.runs.records import Run
from lib_extension.runs.runner import Runner
from lib_extension.session.asked import Asked
from lib_extension.session.inputs import read_user_file
from lib_extension.spec.errors import NotFound
from lib_extension.stages import load_recipe

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_ID = re.compile(r"([0-9a-f]{16})-([1-9][0-9]{0,5})")


@dataclass(frozen=True)
class Found:
    """A lineage, and who told it."""

    lineage: Lineage
    where: str


class Restorer:
    """Finds lineages, with a ledger's help."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._ledger: Ledger = runner.ledger
        self._blobs: Blobs = runner.blobs

    def of_file(self, file: Path) -> Found:
        """The lineage of a picture in a file. NotFound where nobody knows it."""
        data = read_user_file(file, MOST_PICTURE)
        beside = file.with_name(f"{file.name}.json")
        if found := self._in_picture(data, file.name):
            return found
        if beside.is_file():
            text = read_user_file(beside, MOST_PICTURE).decode("utf-8", "replace")
            return Found(read_lineage(text, beside.name), "the file beside it")
        return self._known(data, file.name)

    def of_data(self, data: bytes, what: str) -> Found:
        """As of_file, of a picture without a file beside it."""
        return self._in_picture(data, what) or self._known(data, what)

    def asked(self, lineage: Lineage) -> Asked:
        """The run that makes it again. NotFound names pictures that went in and are not stored here."""
        recipe = load_recipe(lineage.recipe, "The picture's recipe")
        stored = {name: sha256 for name, sha256 in lineage.pictures.items() if re.fullmatch("[0-9a-f]{64}", sha256)}
        lost = [name for name, sha256 in stored.items() if not self._blobs.path(sha256).is_file() and name not in recipe.inputs]
        if lost:
            raise NotFound(
                f"Pictures that went into it are not stored here: {', '.join(lost)}. Run it where it was made, or import its recipe."
            )
        kept = {name: sha256 for name, sha256 in stored.items() if self._blobs.path(sha256).is_file()}
        choices = {key: tuple(chosen) for key, chosen in lineage.choices.items()}
        return Asked(recipe=recipe, values=lineage.values, pictures=kept, choices=choices)

    def runs_of(self, lineage: Lineage) -> list[str]:
        """The runs here that have the stage instance which made it, the newest first."""
        return self._ledger.runs.with_key(lineage.key)

    def _in_picture(self, data: bytes, what: str) -> Found | None:
        lineage = lineage_in(data, what)
        return Found(lineage, "the picture itself") if lineage else None

    def _known(self, data: bytes, what: str) -> Found:
        open_picture(data, what=what)
        parts = _ID.fullmatch(id_in(data, what))
        places = [(key, int(parts[2]) - 1) for key in self._ledger.results.beginning_with(parts[1])] if parts else []
        places += self._ledger.results.with_blob(hashlib.sha256(data).hexdigest())
        for key, index in places:
            if lineage := self._from_ledger(key, index):
                return Found(lineage, "the ledger")
        reason = f"the ledger has nothing of {parts[0]}" if parts else "it tells no recipe, and the ledger does not know it"
        raise NotFound(f"{what}: {reason}. Was it made elsewhere, or its information taken out?")

    def _from_ledger(self, key: str, index: int) -> Lineage | None:
        result = self._ledger.results.get(key)
        for run in [self._ledger.runs.get(run_id) for run_id in self._ledger.runs.with_key(key)] if result is not None else ():
            plan = self._plan(run)
            node = plan.by_key.get(key)
            if node is not None and result is not None:
                return lineage_of(run, plan, node, result, index, self._ledger.runs.choices(run.id))
        return None

    def _plan(self, run: Run) -> Plan:
        """By the run's own backends, which need not be those at hand; they were seen, and so are not woken."""
        pool = self._runner.pool
        backends = {backend.spec: backend for backend in pool.backends}
        own = Pool([backends.get(spec) or parse_backend(spec) for spec in run.backends], pool.helper, pool.files)
        return Planning(run, run.id, self._ledger, self._blobs, own).as_last_seen().plan
