"""The route of all files of a run as one zip, made while it is sent: it is never in memory as a whole, nor on the disk."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from lib_extension.api.desk import Desk
from lib_extension.runs.output_folder import MANIFEST, files_told
from lib_extension.spec.errors import NotFound

_PORTION = 2**20  # bytes that are read at once
_ANY_TIME = (1980, 1, 1, 0, 0, 0)  # the same files are the same zip
_AS_IT_IS = {"Content-Encoding": "identity", "X-Content-Type-Options": "nosniff"}  # pictures get no smaller by a host's gzip


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""
    told = {"responses": {"200": {"description": "The files", "content": {"application/zip": {}}}}}

    @router.get("/runs/{id}/files.zip", summary="All files that a run has made so far, as one zip", openapi_extra=told)
    async def archive(id: str) -> Response:
        folder, names = await desk.aside(lambda: _found(desk, id))
        headers = {**_AS_IT_IS, "Content-Disposition": f'attachment; filename="{id}.zip"'}
        return StreamingResponse(_sent(desk, zipped(folder, names)), media_type="application/zip", headers=headers)


def zipped(folder: Path, names: list[str]) -> Iterator[bytes]:
    """The zip, in portions. Files that have gone in the meantime are left out."""
    out = _Out()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            try:
                file = (folder / name).open("rb")
            except OSError:
                continue
            about = zipfile.ZipInfo(name, _ANY_TIME)
            with file, archive.open(about, "w", force_zip64=True) as inside:
                while portion := file.read(_PORTION):
                    inside.write(portion)
                    yield out.taken()
    yield out.taken()


class _Out(io.RawIOBase):
    """What was written and not yet taken; a zip that cannot be gone back in."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # pyright: ignore[reportIncompatibleMethodOverride] (what is written here is always bytes)
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        data = bytes(self._written)
        self._written.clear()
        return data


def _found(desk: Desk, run_id: str) -> tuple[Path, list[str]]:
    """The run's folder, and the files of it that are there and lie in it."""
    run = desk.session.ledger.runs.get(run_id)
    if run.state != "running":
        desk.session.delivered(run_id)
    folder = desk.session.folder_of(run).resolve()
    names = [name for name, _ in files_told(folder) if (folder / name).resolve().is_relative_to(folder)]
    if not names:
        raise NotFound(f'The run "{run_id}" has no files yet; where its folder was deleted, resume it to have them again.')
    return folder, [*names, MANIFEST]


async def _sent(desk: Desk, portions: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (portion := await desk.aside(lambda: next(portions, None))) is not None:
        yield portion
