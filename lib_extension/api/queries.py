"""What stands in an address after its "?"? Numbers and words, read strictly, and as OpenAPI tells of them."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from lib_extension.spec.errors import BadRequest


def query(name: str, kind: str, about: str = "") -> dict[str, Any]:
    """A parameter, for `openapi_extra`."""
    told = {"name": name, "in": "query", "required": False, "schema": {"type": kind}}
    return told | ({"description": about} if about else {})


def number(request: Request, name: str, otherwise: int, most: int, least: int = 1) -> int:
    """The number of that name, `otherwise` where there is none. BadRequest."""
    text = request.query_params.get(name)
    if not text:
        return otherwise
    if not text.isascii() or not text.isdigit() or len(text) > 15 or not least <= int(text) <= most:
        raise BadRequest(f"{name} must be a number from {least} to {most}.")
    return int(text)


def flag(request: Request, name: str) -> bool:
    """Whether it is asked for. BadRequest for anything but 1, true, 0 and false."""
    text = request.query_params.get(name, "").lower()
    if text not in ("", "0", "1", "true", "false"):
        raise BadRequest(f"{name} must be 1 or 0.")
    return text in ("1", "true")
