"""What becomes of a run's pictures beyond it? The WebUI's own folders get them, too; and of too many, the oldest runs go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lib_extension.ui.settings_page import EVERY, FINAL, read

if TYPE_CHECKING:
    from lib_extension.runs.outputs import Outputs
    from lib_extension.session.session import Session

_NO_PICTURES = ("review", "export", "mask", "control")  # of use to other stages, or those of other stages
_SHEET = "sheet"
_log = logging.getLogger("atelier")


class Aftercare:
    """Follows each run that is at work in this process."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._guard = threading.Lock()  # of the next
        self._followed: set[str] = set()
        self._is_over = threading.Event()

    def follow(self, run_id: str) -> None:
        """From now on until it comes to a halt. What its files tell goes by what is set now."""
        self._session.is_private = read().is_private
        with self._guard:
            if run_id in self._followed:
                return
            self._followed.add(run_id)
        since = self._session.ledger.events.last_id(run_id)
        threading.Thread(target=self._follow, args=(run_id, since), name=f"atelier aftercare {run_id}", daemon=True).start()

    def close(self) -> None:
        """Follow no more."""
        self._is_over.set()

    def _follow(self, run_id: str, since: int) -> None:
        try:
            for event in self._session.ledger.events.follow(run_id, since, stop=self._is_over.is_set):
                if event is not None and event.kind == "finished":
                    self._save(run_id, str(event.data["key"]))
            if not self._is_over.is_set():
                self._make_room()
        except Exception:  # the top of the thread; the run itself has all its pictures
            _log.exception("The pictures of the run %s were not saved in the WebUI's folders", run_id)
        finally:
            with self._guard:
                self._followed.discard(run_id)

    def _save(self, run_id: str, key: str) -> None:
        from lib_extension.runs.outputs import Outputs

        session = self._session
        run, plan = session.ledger.runs.get(run_id), session.runner.planned(run_id).plan
        node, result = plan.by_key.get(key), session.ledger.results.get(key)
        if node is None or result is None or not is_saved(run.recipe, node.id, read().save):
            return
        outputs: Outputs = Outputs(run, plan, session.ledger, session.blobs, session.is_private)
        for picture, file in zip(result.pictures, outputs.files_of(node, result), strict=False):
            _save_file(file.content, picture.seed, node.type.name)

    def _make_room(self) -> None:
        from lib_extension.session.making_room import make_room

        most = read().most_bytes
        if most and (gone := make_room(self._session, most)):
            _log.info("Deleted for room on the disk: %s", ", ".join(gone))


def is_saved(recipe: Mapping[str, Any], stage_id: str, which: str) -> bool:
    """Whether the pictures of a stage go into the WebUI's folders."""
    stages = {str(stage["id"]): stage for stage in recipe["stages"]}
    type = stages[stage_id]["type"]
    if which not in (FINAL, EVERY) or type in _NO_PICTURES:
        return False
    return which == EVERY or type == _SHEET or not any(_goes_on(stages, other, stage_id) for other in stages.values())


def _goes_on(stages: Mapping[str, Mapping[str, Any]], stage: Mapping[str, Any], id: str) -> bool:
    """Whether the stage makes something of the pictures of `id`, directly or of those that were chosen among them."""
    if stage["type"] in (*_NO_PICTURES, _SHEET) or not stage.get("enabled", True):
        return False
    return id in _sources(stages, stage)


def _sources(stages: Mapping[str, Mapping[str, Any]], stage: Mapping[str, Any]) -> set[str]:
    """The stages that it takes, and where it takes a choice, those that are chosen among."""
    takes = stage.get("takes") or ()
    found: set[str] = {takes} if isinstance(takes, str) else {str(name) for name in takes}
    for name in list(found):
        if name in stages and (stages[name]["type"] == "review" or not stages[name].get("enabled", True)):
            found |= _sources(stages, stages[name])
    return found


def _save_file(content: bytes, seed: int | None, type: str) -> None:
    from lib_extension.formats.infotext import parse_infotext
    from lib_extension.host.saving import Saved, save
    from lib_extension.pictures.file_texts import png_texts
    from lib_extension.pictures.png import open_picture

    image = open_picture(content, what="A picture of the run")
    image.load()
    texts = png_texts(content)
    prompt = parse_infotext(texts.get("parameters", "")).get("Prompt", "")
    save(Saved(image, texts, prompt, seed, is_drawn_anew=type == "txt2img", is_sheet=type == _SHEET))
