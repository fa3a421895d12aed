"""What can go wrong where the user can act: one tree of errors, each with the HTTP status that tells a client so.

`str(error)` is the message for the user: what was wrong, the value, what to do. It never holds a path of this machine.
"""

from __future__ import annotations

from collections.abc import Iterable


class AtelierError(Exception):
    """Every error that we raise on purpose."""

    status = 500


class BadRequest(AtelierError):
    """A value that was asked for is refused."""

    status = 422


class NotFound(AtelierError):
    """A thing was asked for by name and is not here."""

    status = 404


class BadFile(AtelierError):
    """A file is malformed, or of a kind that is refused."""

    status = 422


class Mismatch(AtelierError):
    """Two files do not fit each other; the message names both."""

    status = 422


class TooLarge(AtelierError):
    """More was sent or asked for than the limits allow."""

    status = 413


class Busy(AtelierError):
    """Nothing is wrong with the request, but it cannot be taken now."""

    status = 503


class Interrupted(AtelierError):
    """The user stopped the job."""

    status = 409


def near_miss(name: str, known: Iterable[str]) -> str:
    """' Did you mean "x"?' for the known name closest to `name`, or '' when none is close."""
    from difflib import get_close_matches  # here, as only somebody who erred should wait for it

    by_lower_case = {candidate.lower(): candidate for candidate in known}
    closest = get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.6)
    return f' Did you mean "{by_lower_case[closest[0]]}"?' if closest else ""
