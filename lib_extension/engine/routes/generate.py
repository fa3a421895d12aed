"""POST txt2img and img2img: a request waits for its turn, becomes pictures, and goes back with everything that made them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from datetime import date
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response

from lib_extension.engine.bodies import refuse_nonfinite
from lib_extension.engine.from_infotext import with_infotext
from lib_extension.engine.generated import Generated
from lib_extension.engine.img2img import img2img as make_img2img
from lib_extension.engine.options import Options
from lib_extension.engine.outputs import encoded, save
from lib_extension.engine.queue import task_id
from lib_extension.engine.scripts import check_scripts
from lib_extension.engine.server import Here, Server
from lib_extension.engine.txt2img import txt2img as make_txt2img
from lib_extension.engine.webui_failures import fail_as_webui
from lib_extension.spec.sdapi import Generation, Img2Img, Txt2Img

R = TypeVar("R", bound=Generation)

NOT_SENT_BACK = ("init_images", "mask")
"""The WebUI empties these of `parameters` unless asked to include them."""


def add_routes(routes: APIRouter) -> None:
    routes.add_api_route("/sdapi/v1/txt2img", txt2img, methods=["POST"], response_model=None)
    routes.add_api_route("/sdapi/v1/img2img", img2img, methods=["POST"], response_model=None)


async def txt2img(body: Txt2Img, request: Request, server: Here) -> Response:
    body = await _complete(body, request, server)
    return await _generate("txt2img", body, server, lambda asked: make_txt2img(server.engine, asked))


async def img2img(body: Img2Img, request: Request, server: Here) -> Response:
    body = await _complete(body, request, server)
    return await _generate("img2img", body, server, lambda asked: make_img2img(server.engine, asked))


async def _complete(body: R, request: Request, server: Server) -> R:
    """The request with what its infotext adds; refused where no model is needed to see that it is wrong."""
    refuse_nonfinite(body)
    body = with_infotext(body, set(await request.json()), server.options)
    check_scripts(body.script_name, body.alwayson_scripts)
    if server.lenient:
        fail_as_webui(body, server)
    return body


async def _generate(kind: str, body: R, server: Server, make: Callable[[R], Generated]) -> Response:
    options = server.options.with_overrides(body.override_settings)
    asked = replace(body, force_task_id=body.force_task_id or task_id(kind))
    assert asked.force_task_id is not None

    def call() -> Generated:
        try:
            return make(asked)
        finally:
            server.options.keep(body.override_settings, body.override_settings_restore_afterwards)

    generated = await server.in_turn(asked.force_task_id, call)
    return await server.aside(lambda: _answer(kind, body, generated, options, server))


def _answer(kind: str, body: Generation, generated: Generated, options: Options, server: Server) -> Response:
    if body.save_images:
        save(generated, server.serving.outputs_dir / f"{kind}-images" / date.today().isoformat(), options)
    infotexts: list[str | None] = [*generated.infotexts, *[None] * (len(generated.images) - len(generated.infotexts))]
    pairs = zip(generated.images, infotexts, strict=True) if body.send_images else ()
    images = [encoded(image, infotext, options) for image, infotext in pairs]
    content = {"images": images, "parameters": _parameters(body), "info": json.dumps(asdict(generated.info))}
    return Response(json.dumps(content), media_type="application/json")


def _parameters(body: Generation) -> dict[str, Any]:
    """The request with its defaults. Not `asdict`, which would copy pictures of megabytes."""
    sent = {field.name: getattr(body, field.name) for field in fields(body)}
    if not getattr(body, "include_init_images", False):
        sent.update({name: None for name in NOT_SENT_BACK if name in sent})
    return sent
