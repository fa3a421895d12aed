"""What will a run do, and what is wrong with it? Its plan with reasons, and what preflight finds, before anything runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from lib_extension.pictures.png import open_picture
from lib_extension.plan import Explained, Plan, explain
from lib_extension.preflight import Finding, PictureFacts, picture_facts
from lib_extension.runs.blobs import Blobs, LostBlob
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.planning import Planned
from lib_extension.session.asked import Asked
from lib_extension.spec.errors import AtelierError

_REMEMBERED = 4096  # pictures


class PreflightRefused(AtelierError):
    """The run would fail or go wrong: `findings` say where."""

    status = 422

    def __init__(self, findings: Sequence[Finding]) -> None:
        errors = [finding for finding in findings if finding.severity == "error"]
        super().__init__(" ".join(f"{finding.stage}.{finding.field}: {finding.message}" for finding in errors))
        self.findings = tuple(findings)


@dataclass(frozen=True)
class Outlook:
    """Of a run that is only thought of."""

    plan: Plan
    explained: tuple[Explained, ...]  # of every node, in the plan's order
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> list[Finding]:
        """What keeps the run from starting."""
        return [finding for finding in self.findings if finding.severity == "error"]


def look_ahead(planned: Planned, name: str, ledger: Ledger, findings: Sequence[Finding]) -> Outlook:
    """The outlook of a plan for the recipe `name`, compared with its latest runs."""
    earlier = ledger.earlier_parts(name, {node.place for node in planned.plan.nodes})
    return Outlook(planned.plan, explain(planned.plan, planned.done, earlier), tuple(findings))


class InputFacts:
    """What preflight asks of a picture that is handed in, by its sha256; each is looked at once."""

    def __init__(self, asked: Asked, blobs: Blobs, known: dict[str, PictureFacts]) -> None:
        """`known`: of pictures that were looked at before; what is found is added."""
        self._given = {hashlib.sha256(data).hexdigest(): data for data in asked.pictures.values() if isinstance(data, bytes)}
        self._names = {hashlib.sha256(one).hexdigest() if isinstance(one, bytes) else one: name for name, one in asked.pictures.items()}
        self._blobs = blobs
        self._known = known

    def __call__(self, sha256: str) -> PictureFacts | None:
        known = self._known.get(sha256)
        if known is not None:
            return known
        found = self._look(sha256)
        if found is not None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[sha256] = found
        return found

    def _look(self, sha256: str) -> PictureFacts | None:
        try:
            data = self._given.get(sha256) or self._blobs.get(sha256)
        except LostBlob:
            return None
        what = f'The picture "{self._names[sha256]}"' if sha256 in self._names else "A picture that goes in"
        return picture_facts(open_picture(data, what=what))
