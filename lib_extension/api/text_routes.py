"""Routes of texts that somebody types or pastes: rows from a table, and how many tokens a prompt has."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import read_body, read_object
from lib_extension.api.desk import Desk
from lib_extension.formats.clip_tokens import CHUNK
from lib_extension.plan.rows_file import MOST_BYTES, read_rows
from lib_extension.preflight.prompt_words import chunks, most_tokens
from lib_extension.spec.errors import BadRequest

_LONGEST = 100_000  # characters of a prompt
_TABLE: dict[str, Any] = {"text/csv": {"schema": {"type": "string"}}, "application/json": {"schema": {"type": "array"}}}
_TEXT: dict[str, Any] = {"schema": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}}


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""

    @router.post(
        "/rows",
        summary="The rows in a CSV or JSON text, as a recipe takes them",
        openapi_extra={"requestBody": {"content": _TABLE, "required": True}},
    )
    async def rows(request: Request) -> Response:
        body = await read_body(request, MOST_BYTES)
        return JSONResponse(await desk.aside(lambda: _rows(body)))

    @router.post(
        "/tokens",
        summary="How long a prompt is for the text encoder",
        openapi_extra={"requestBody": {"content": {"application/json": _TEXT}, "required": True}},
    )
    async def tokens(request: Request) -> Response:
        text = (await read_object(request)).get("text")
        if not isinstance(text, str) or len(text) > _LONGEST:
            raise BadRequest(f"text must be a prompt of no more than {_LONGEST:,} characters.")
        return JSONResponse(await desk.aside(lambda: _counted(text)))


def _rows(body: bytes) -> dict[str, Any]:
    """Whatever the browser takes the file for: what begins with a bracket is JSON."""
    is_json = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{")
    found = read_rows(body, "rows.json" if is_json else "rows.csv")
    return {"columns": list(dict.fromkeys(name for row in found for name in row)), "rows": list(found)}


def _counted(text: str) -> dict[str, int]:
    """`limit`: how many fit into the pieces that are begun."""
    count = most_tokens(text)
    return {"tokens": count, "chunks": chunks(count), "limit": chunks(count) * CHUNK}
