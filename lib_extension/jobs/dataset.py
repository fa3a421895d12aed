"""How are pictures checked, prepared and captioned as jobs? By the trainer's commands in the worker's environment."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from lib_extension.captions.journal import journal_of
from lib_extension.jobs.asked_paths import path_asked
from lib_extension.jobs.kind import Around, JobKind
from lib_extension.jobs.training import is_inside
from lib_extension.setup.environment import ROOT, Environment
from lib_extension.spec.captioning import CaptionerSettings, CaptioningSettings, EndpointSettings, TaggerSettings
from lib_extension.spec.dataset import CheckSettings, PrepareSettings
from lib_extension.spec.errors import BadRequest

S = TypeVar("S", CheckSettings, PrepareSettings, CaptioningSettings)

ENDPOINTS = "ATELIER_ENDPOINTS"  # addresses that clients of other machines may have asked for captions, with commas between them
_HERE = ("127.0.0.1", "localhost", "::1")
_MEMORY = {"blip": 3 << 30, "blip2": 9 << 30, "florence2": 3 << 30}  # bytes on a GPU, about; taggers work on the processor


def _check_filled(settings: CheckSettings, around: Around) -> CheckSettings:
    return _with_paths(settings, around, "folder", "report", "network")


def _prepare_filled(settings: PrepareSettings, around: Around) -> PrepareSettings:
    return _with_paths(settings, around, "folder", "into", "masks", "network", "upscaler")


def _caption_filled(settings: CaptioningSettings, around: Around) -> CaptioningSettings:
    """Written into the journal that the page takes edits back from."""
    whole = _with_paths(settings, around, "folder")
    journal = journal_of(around.folder, Path(whole.folder)).folder
    if around.roots is not None:
        for place, one in enumerate(whole.captioners):
            _keep_inside(one, around.roots, f"captioners[{place}]")
    return replace(whole, journal=str(journal))


def _with_paths(settings: S, around: Around, *names: str) -> S:
    """With whole paths where one is set; the folder always is. BadRequest for those out of bounds."""
    told = {name: getattr(settings, name) for name in names}
    return replace(settings, **{name: str(path_asked(text, around.roots, name)) for name, text in told.items() if text or name == "folder"})


def _keep_inside(one: CaptionerSettings, roots: tuple[Path, ...], where: str) -> None:
    if isinstance(one, EndpointSettings):
        _check_endpoint(one, where)
    elif isinstance(one, TaggerSettings):
        if one.model:
            path_asked(one.model, roots, f"{where}.model")
    elif _is_folder(one.model) and not is_inside(ROOT / one.model, roots):
        raise BadRequest(f'{where}.model is "{one.model[-80:]}", outside of the folders that may be used from here.')


def _is_folder(model: str) -> bool:
    """Whether it is a path rather than a name on the hub."""
    try:
        return (ROOT / Path(model).expanduser()).exists()
    except (OSError, RuntimeError, ValueError):
        return True


def _check_endpoint(one: EndpointSettings, where: str) -> None:
    """This machine would ask it in a client's name, with this machine's key."""
    named = [url.strip().rstrip("/") for url in os.environ.get(ENDPOINTS, "").split(",") if url.strip()]
    if not _is_here(one.url) and one.url.rstrip("/") not in named:
        raise BadRequest(
            f'{where}.url is "{one.url[:80]}", which may not be asked from here. {ENDPOINTS} names those that may, on the server.'
        )


def _is_here(url: str) -> bool:
    try:
        return urlsplit(url).hostname in _HERE
    except ValueError:
        return False


def _check_command(environment: Environment, config: Path) -> Sequence[str]:
    """Its report goes into the job's files, where no other place is named."""
    told = json.loads(config.read_text(encoding="utf-8"))
    report = [] if told.get("report") else [f"report={config.parent / 'files'}"]
    return [*_trainer("prepare")(environment, config), *report]


def _trainer(command: str) -> Callable[[Environment, Path], Sequence[str]]:
    return lambda environment, config: [str(environment.python), "-m", "trainer", command, str(config)]


def needs(config: Mapping[str, Any]) -> int:
    """Bytes on a GPU, about, of captioning: its networks."""
    if str(config["device"]).startswith("cpu"):
        return 0
    return sum(_MEMORY.get(one["kind"], 0) for one in config["captioners"])


DATASET: dict[str, JobKind] = {
    "check-pictures": JobKind(CheckSettings, lambda _: "Check pictures", _check_command, patience=0.0, is_aside=True, fill=_check_filled),
    # Each prepared picture is known as whole or not, so that it may be cut off anywhere.
    "prepare": JobKind(PrepareSettings, lambda _: "Prepare pictures", _trainer("prepare"), patience=0.0, fill=_prepare_filled),
    "caption": JobKind(CaptioningSettings, lambda _: "Write captions", _trainer("caption"), fill=_caption_filled, needs=needs),
}
