"""What does a server serve, and to whom? Handed to its process in the environment, as a server's own options leave no other way."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass

_VARIABLE = "ATELIER_SERVING"


@dataclass(frozen=True)
class Serving:
    """A home and its backends."""

    home: str
    backends: Sequence[str]
    backend_auth: tuple[str, str] | None = None
    credentials: Sequence[str] = ()  # "user:password"
    address: str = ""  # where the page is, to be said when the server answers
    opens_browser: bool = False

    def to_environment(self) -> dict[str, str]:
        """For the server's process; others of the same user could read it, as they could read the files."""
        return {_VARIABLE: json.dumps(asdict(self))}

    @staticmethod
    def from_environment() -> Serving:
        """What to_environment told."""
        told = json.loads(os.environ[_VARIABLE])
        pair = told["backend_auth"]
        return Serving(**{**told, "backend_auth": (pair[0], pair[1]) if pair else None})
