"""Routes of a folder of pictures and captions: looking through it, editing many captions or one, taking edits back, other programs."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import read_object
from lib_extension.api.asked_folders import folder_asked, picture_asked
from lib_extension.api.dataset_asked import CaptionAsked, EditAsked, ExportAsked, FolderAsked, PicturesAsked, ReadAsked, TagsAsked
from lib_extension.api.dataset_view import Datasets, Opened, Told, changed, outcome_told, previewed, tags_with, unknown
from lib_extension.api.desk import Desk
from lib_extension.api.kept import Kept
from lib_extension.api.queries import number, query
from lib_extension.captions.edits import Difference, differences, title_of
from lib_extension.captions.exchange import export
from lib_extension.captions.files import Captioned
from lib_extension.captions.journal import Outcome
from lib_extension.captions.reading import read_from
from lib_extension.jobs.asked_paths import path_asked
from lib_extension.session.folder_thumbnails import FolderThumbnails
from lib_extension.session.thumbnails import LARGEST, SMALLEST
from lib_extension.spec.captions import EDITS, CaptionFilter, CaptionsSettings, ExportSettings
from lib_extension.spec.errors import AtelierError, NotFound
from lib_extension.spec.settings import Settings, from_json, json_schema

S = TypeVar("S", bound=Settings)

_MOST_RECENT = 12
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
_FOR_EVER, _LOOK_AGAIN = "private, max-age=31536000, immutable", "private, no-cache"
_PICTURE = [
    query("folder", "string"),
    query("name", "string", "The picture's path in it."),
    query("size", "integer", f"Its longest side, {SMALLEST} to {LARGEST}; a little more may come."),
    query("changed", "string", "As it was told with the picture: the answer may then be kept."),
]


class Stale(AtelierError):
    """A caption is not any more as somebody saw it."""

    status = 409

    def __init__(self, message: str, caption: str) -> None:
        super().__init__(message)
        self.caption = caption


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""
    home = desk.session.home.folder
    page = _Page(desk, home)

    @router.get("/dataset", summary="Forms of filters, edits and exports, folders that were looked at, and the page's draft")
    async def dataset() -> Response:
        return JSONResponse(await desk.aside(page.told))

    @router.put("/dataset/draft", summary="Keep what is set on the page, whole or not", openapi_extra=_BODY)
    async def keep(request: Request) -> Response:
        body = await read_object(request)
        await desk.aside(lambda: page.draft.put(body))
        return JSONResponse({})

    @router.post("/dataset/pictures", summary="One page of a folder's pictures with their captions", openapi_extra=_BODY)
    async def pictures(request: Request) -> Response:
        asked = await _asked(PicturesAsked, request)
        patience = desk.patiently if asked.filter.similar else desk.aside
        return JSONResponse(await patience(lambda: page.pictures(asked)))

    @router.post("/dataset/tags", summary="Tags of a folder's captions, also those that are too rare for its pages", openapi_extra=_BODY)
    async def tags(request: Request) -> Response:
        asked = await _asked(TagsAsked, request)
        return JSONResponse(await desk.aside(lambda: page.tags(asked)))

    @router.get("/dataset/picture", summary="A picture of a folder, small", openapi_extra={"parameters": _PICTURE})
    async def picture(request: Request) -> Response:
        size = number(request, "size", 256, LARGEST, SMALLEST)
        told = request.query_params
        file = await desk.aside(lambda: page.file(told.get("folder", ""), told.get("name", "")))
        tag = f'"{changed(file)}-{size}"'
        cache = _FOR_EVER if told.get("changed") == changed(file) else _LOOK_AGAIN
        headers = {"Cache-Control": cache, "ETag": tag, "X-Content-Type-Options": "nosniff"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        data = await desk.drawing(lambda: page.thumbnails.get(file, size))
        return Response(data, media_type=page.thumbnails.media_type, headers=headers)

    @router.post("/dataset/preview", summary="What an edit would change", openapi_extra=_BODY)
    async def preview(request: Request) -> Response:
        asked = await _asked(EditAsked, request)
        return JSONResponse(await desk.patiently(lambda: previewed(page.changes(asked)[1])))

    @router.post("/dataset/edit", summary="Edit captions", openapi_extra=_BODY)
    async def edit(request: Request) -> Response:
        asked = await _asked(EditAsked, request)
        return JSONResponse(await desk.patiently(lambda: page.edit(asked)))

    @router.post("/dataset/caption", summary="Write one caption; 409 with the caption where it is not as it was seen", openapi_extra=_BODY)
    async def caption(request: Request) -> Response:
        asked = await _asked(CaptionAsked, request)
        try:
            return JSONResponse(await desk.aside(lambda: page.write(asked)))
        except Stale as error:
            return JSONResponse({"error": "Stale", "detail": str(error), "caption": error.caption}, error.status)

    @router.post("/dataset/undo", summary="Take the last edit back that was not yet", openapi_extra=_BODY)
    async def undo(request: Request) -> Response:
        asked = await _asked(FolderAsked, request)
        return JSONResponse(await desk.patiently(lambda: page.undo(asked)))

    @router.post("/dataset/export", summary="Write captions for other programs into a new folder", openapi_extra=_BODY)
    async def export_(request: Request) -> Response:
        asked = await _asked(ExportAsked, request)
        return JSONResponse(await desk.patiently(lambda: page.export(asked)))

    @router.post("/dataset/read", summary="Read captions that another program wrote", openapi_extra=_BODY)
    async def read(request: Request) -> Response:
        asked = await _asked(ReadAsked, request)
        return JSONResponse(await desk.patiently(lambda: page.read(asked)))


class _Page:
    """What the routes do."""

    def __init__(self, desk: Desk, home: Path) -> None:
        self._desk = desk
        self._datasets = Datasets(home)
        self._recent = Kept(home / "dataset-folders.json")
        self._guard = threading.Lock()  # of the last
        self.draft = Kept(home / "dataset.json")
        self.thumbnails = FolderThumbnails(home / "dataset-thumbnails")

    def told(self) -> Told:
        return {
            "forms": {
                "filter": json_schema(CaptionFilter),
                "edits": {_kind(edit): json_schema(edit) for edit in EDITS},
                "export": json_schema(ExportSettings),
                "folder": json_schema(CaptionsSettings),
            },
            "recent": self._folders(),
            "draft": self.draft.get(),
        }

    def pictures(self, asked: PicturesAsked) -> Told:
        opened = self._open(asked)
        self._remember(str(opened.folder))
        return self._datasets.page(opened, asked)

    def tags(self, asked: TagsAsked) -> Told:
        return tags_with(self._open(asked).reading, asked.text)

    def file(self, folder: str, name: str) -> Path:
        roots = self._desk.jobs.around.roots
        return picture_asked(folder_asked(folder, roots), name, roots)

    def changes(self, asked: EditAsked) -> tuple[Opened, list[Difference]]:
        opened = self._open(asked)
        return opened, differences(self._datasets.chosen(opened, asked), asked.edits)

    def edit(self, asked: EditAsked) -> Told:
        opened, changes = self.changes(asked)
        title = title_of(asked.edits)
        outcome = opened.journal.apply(changes, title)
        refused = (*unknown(asked.names, opened.reading), *outcome.refused)
        return outcome_told(replace(outcome, refused=refused), title)

    def write(self, asked: CaptionAsked) -> Told:
        opened = self._open(asked)
        one = _named(opened, asked.name)
        if one.text != asked.before.strip():
            raise Stale("Somebody changed this caption meanwhile. Look at it again before you write it.", one.text)
        after = asked.text.strip()
        title = f"{asked.name.rpartition('/')[2]} by hand"
        outcome = opened.journal.apply([Difference(one, one.text, after)], title) if after != one.text else Outcome(0, ())
        now = self._open(asked)
        return {
            **outcome_told(outcome, title),
            "picture": self._datasets.picture(_named(now, asked.name), now.contradicted.get(asked.name)),
        }

    def undo(self, asked: FolderAsked) -> Told:
        journal = self._datasets.journal(folder_asked(asked.folder, self._desk.jobs.around.roots))
        title = next((entry.title for entry in reversed(journal.entries()) if not entry.undone), "")
        return outcome_told(journal.undo(), title)

    def export(self, asked: ExportAsked) -> Told:
        into = path_asked(asked.export.into, self._desk.jobs.around.roots, "export.into")
        opened = self._open(asked)
        written = export(self._datasets.meant(opened, asked.filter), replace(asked.export, into=str(into)))
        left_out = [[one.name, one.problem] for one in opened.reading.captions if one.problem]
        return {"written": len(written), "into": str(into), "refused": left_out}

    def read(self, asked: ReadAsked) -> Told:
        file = path_asked(asked.file, self._desk.jobs.around.roots, "file")
        opened = self._open(asked)
        changes, strange = read_from(file, opened.reading.captions)
        sound = [one for one in changes if not one.captioned.problem]
        refused = [(one.captioned.name, one.captioned.problem) for one in changes if one.captioned.problem]
        refused += [(name, "It is no picture of the folder.") for name in strange]
        if asked.preview:
            return {**previewed(sound), "refused": [list(one) for one in refused]}
        title = f"read {file.name}"
        outcome = opened.journal.apply(sound, title)
        return outcome_told(replace(outcome, refused=(*refused, *outcome.refused)), title)

    def _open(self, asked: FolderAsked) -> Opened:
        return self._datasets.open(asked, self._desk.jobs.around.roots)

    def _folders(self) -> list[str]:
        held: Any = self._recent.get().get("folders", [])
        return [one for one in held if isinstance(one, str)] if isinstance(held, list) else []

    def _remember(self, folder: str) -> None:
        with self._guard:
            before = self._folders()
            now = [folder, *(one for one in before if one != folder)][:_MOST_RECENT]
            if now != before:
                self._recent.put({"folders": now})


async def _asked(what: type[S], request: Request) -> S:
    return from_json(what, await read_object(request))


def _kind(edit: type[Settings]) -> str:
    return json_schema(edit)["properties"]["kind"]["enum"][0]


def _named(opened: Opened, name: str) -> Captioned:
    one = opened.reading.by_name.get(name)
    if one is None:
        raise NotFound(f'There is no picture "{name:.120}" in the folder.')
    return one
