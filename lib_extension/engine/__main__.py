"""`python -m lib_extension.engine`: serves the /sdapi/v1 routes over diffusers."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from lib_extension.engine.command import command_line, is_hub_id
from lib_extension.spec.errors import AtelierError


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, or 1 after a message when the engine could not start."""
    asked = command_line().parse_args(arguments)
    if not is_hub_id(asked.model):
        os.environ["HF_HUB_OFFLINE"] = "1"  # Before any Hugging Face package is imported: nothing is ever fetched unasked.
    from lib_extension.engine.start import serve  # Here, because torch and diffusers take seconds that --help need not wait for.

    try:
        return serve(asked)
    except AtelierError as error:
        print(f"The engine cannot start: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
