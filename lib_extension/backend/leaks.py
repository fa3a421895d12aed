"""Did the call leave its options behind? A WebUI forgets to put back those that its config file does not hold yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib_extension.backend.errors import WrongAnswer
from lib_extension.backend.wire import Wire


class Leaks:
    """Watches the options of one backend. Each is looked at after the first call that overrides it; from then on it is put back there."""

    def __init__(self, wire: Wire, before: Mapping[str, Any]) -> None:
        """`before` are the options as they were when this began."""
        self._wire = wire
        self._before = before
        self._kept: set[str] = set()  # options that are known to be put back

    def mend(self, overrides: Mapping[str, Any]) -> None:
        """After a call with these override_settings: what stayed behind is set back. Raises WrongAnswer where that does not hold.

        Setting an option back writes it into the config file with the value that it had, and so the next call's is put back.
        """
        doubtful = {name: value for name, value in overrides.items() if name in self._before and name not in self._kept}
        if not doubtful:
            return
        left = self._left(doubtful)
        if left:
            self._wire.post("/sdapi/v1/options", {name: self._before[name] for name in left})
            left = self._left({name: doubtful[name] for name in left})
        if left:
            names = ", ".join(f"{name} (it was {self._before[name]!r})" for name in left)
            raise WrongAnswer(f"{self._wire.name} keeps options of a call that has ended: {names}. Set them back in its settings.")
        self._kept |= doubtful.keys()

    def _left(self, overrides: Mapping[str, Any]) -> list[str]:
        """Those that now have the call's value and had another before; what somebody else set meanwhile is not touched."""
        now = self._wire.get("/sdapi/v1/options")
        return [name for name, value in overrides.items() if self._same(now.get(name), value) and not self._same(self._before[name], value)]

    @staticmethod
    def _same(one: Any, other: Any) -> bool:
        """1 and 1.0 are one value, and so are a checkpoint's titles with and without its hash."""
        if isinstance(one, str) and isinstance(other, str):
            return one.split(" [")[0] == other.split(" [")[0]
        return bool(one == other)
