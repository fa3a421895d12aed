"""Which of several backends takes a call? One that has all that the call names; never one that would make do with something else."""

from __future__ import annotations

from collections.abc import Iterable

from lib_extension.backend.backend import Backend
from lib_extension.backend.errors import BackendError
from lib_extension.backend.local_files import LocalFiles
from lib_extension.spec.calls import MODEL_CALLS, Call


class Pool:
    """The backends of a run, and the helper that answers what needs a network: an engine among them, or one started when first asked."""

    def __init__(self, backends: Iterable[Backend], helper: Backend | None = None, files: LocalFiles | None = None) -> None:
        """`helper` is an engine that makes no pictures; without one, only an engine among the backends answers MODEL_CALLS.

        files: those of the backends that are on this machine.
        """
        self.backends = tuple(backends)
        self.helper = helper
        self.files = files or LocalFiles()

    def eligible(self, call: Call) -> tuple[Backend, ...]:
        """Those that can take the call, in the order they were named. One that does not answer now is left out."""
        return tuple(backend for backend, reason in self._asked(call) if not reason)

    def why_none(self, call: Call) -> str:
        """What each backend lacks, for the message that nobody can take the call."""
        return " ".join(dict.fromkeys(reason for _, reason in self._asked(call) if reason))

    def close(self) -> None:
        """Let go of all, and end engines that were started."""
        for backend in (*self.backends, *filter(None, (self.helper,))):
            backend.close()

    def _asked(self, call: Call) -> list[tuple[Backend, str]]:
        """What each says; the helper is left asleep where another can."""
        asked = [(backend, _reason(backend, call)) for backend in self.backends]
        if isinstance(call, MODEL_CALLS) and self.helper is not None and all(reason for _, reason in asked):
            asked.append((self.helper, _reason(self.helper, call)))
        return asked


def _reason(backend: Backend, call: Call) -> str:
    try:
        return backend.can(call)
    except BackendError as error:
        return str(error)
