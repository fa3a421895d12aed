"""How does an error reach the client? With the WebUI's four fields, our message, and neither trace nor path."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from lib_extension.spec.errors import AtelierError


class WebuiAnswer(AtelierError):
    """An error that the WebUI answers with just these words; clients may look for them."""

    def __init__(self, status: int, error: str, *, detail: str = "", errors: str = "") -> None:
        super().__init__(detail or errors)
        self.status = status
        self.error = error
        self.detail = detail
        self.errors = errors


def refused(status: int, detail: str) -> WebuiAnswer:
    """The WebUI's own refusals are all of this class."""
    return WebuiAnswer(status, "HTTPException", detail=detail)


def add_error_answers(app: FastAPI) -> None:
    app.add_exception_handler(AtelierError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unexpected)


def body_of(error: AtelierError) -> dict[str, str]:
    if isinstance(error, WebuiAnswer):
        return {"error": error.error, "detail": error.detail, "body": "", "errors": error.errors}
    message = str(error)
    return {"error": type(error).__name__, "detail": message, "body": "", "errors": message}


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AtelierError)
    return JSONResponse(body_of(error), error.status)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """The server's log gets the trace; the client only learns that it is not its fault."""
    message = "The engine failed at this call. Its log says where."
    return JSONResponse({"error": "InternalError", "detail": message, "body": "", "errors": message}, 500)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """422 in the form of pydantic 1, which the WebUI's clients read. What was sent is not repeated: it may be 100 MB."""
    assert isinstance(error, RequestValidationError)
    return JSONResponse({"detail": [_as_pydantic_1(item, error.body) for item in error.errors()]}, 422)


_PYDANTIC_1 = {
    "missing": ("field required", "value_error.missing"),
    "int_parsing": ("value is not a valid integer", "type_error.integer"),
    "int_type": ("value is not a valid integer", "type_error.integer"),
    "int_from_float": ("value is not a valid integer", "type_error.integer"),
    "int_parsing_size": ("value is not a valid integer", "type_error.integer"),
    "float_parsing": ("value is not a valid float", "type_error.float"),
    "float_type": ("value is not a valid float", "type_error.float"),
    "bool_parsing": ("value could not be parsed to a boolean", "type_error.bool"),
    "bool_type": ("value could not be parsed to a boolean", "type_error.bool"),
    "string_type": ("str type expected", "type_error.str"),
    "list_type": ("value is not a valid list", "type_error.list"),
    "dict_type": ("value is not a valid dict", "type_error.dict"),
    "dataclass_type": ("value is not a valid dict", "type_error.dict"),
}


def _as_pydantic_1(item: dict[str, Any], body: Any) -> dict[str, Any]:
    loc = [*item["loc"]]
    if item["type"] == "json_invalid":
        return _malformed(loc, item["ctx"]["error"], body if isinstance(body, str) else "")
    message, kind = _PYDANTIC_1.get(item["type"], (item["msg"], "value_error"))
    return {"loc": loc, "msg": message, "type": kind}


def _malformed(loc: list[Any], reason: str, text: str) -> dict[str, Any]:
    position = loc[-1]
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    ctx = {"msg": reason, "doc": text[:200], "pos": position, "lineno": line, "colno": column}
    message = f"{reason}: line {line} column {column} (char {position})"
    return {"loc": loc, "msg": message, "type": "value_error.jsondecode", "ctx": ctx}
