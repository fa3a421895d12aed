"""What has become of the call that the WebUI works at?"""

from __future__ import annotations


def halted() -> str:
    """ "interrupted" or "skipped", where somebody did so; '' where not. The WebUI forgets it with the next picture or call."""
    from modules import shared  # pyright: ignore[reportMissingImports]

    if shared.state.interrupted:
        return "interrupted"
    return "skipped" if shared.state.skipped else ""
