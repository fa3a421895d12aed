"""What is open inside this WebUI? One session, made when it is first needed, closed when the WebUI loads its scripts anew.

It is one for the process: the WebUI makes the rest again at each "Reload UI", and goes on with what was running then.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lib_extension.host import facts
from lib_extension.spec.errors import AtelierError, NotFound
from lib_extension.ui.aftercare import Aftercare
from lib_extension.ui.settings_page import read

if TYPE_CHECKING:  # all of it takes a moment to import, which the WebUI's start need not wait for
    from lib_extension.session.session import Session

_BEFORE: dict[str, str] = {}  # variables of the environment as the WebUI was started with them
_log = logging.getLogger("atelier")


class Residence:
    """The session and the application that it draws with."""

    def __init__(self) -> None:
        self._guard = threading.Lock()  # of all below
        self._session: Session | None = None
        self._aftercare: Aftercare | None = None
        self._app: Any = None
        self._at_work: list[str] = []  # runs that were carried out when it was closed

    def move_in(self, app: Any) -> None:
        """The WebUI has started, or has started anew; goes on with what ran before."""
        with self._guard:
            self._app = app
            goes_on = bool(self._at_work)
        if goes_on:
            threading.Thread(target=self._go_on, name="atelier goes on", daemon=True).start()

    def move_out(self) -> None:
        """Pause what runs, and close."""
        with self._guard:
            session, self._session, self._app = self._session, None, None
            aftercare, self._aftercare = self._aftercare, None
        if session is not None:
            self._at_work = [run.id for run in session.ledger.runs.all() if session.runner.is_at_work(run.id)]
            session.close(at_once=True)  # the WebUI's page is gone until it is done
        if aftercare is not None:
            aftercare.close()

    def session(self) -> Session:
        """The session, opened now if it is not yet. AtelierError where its folder cannot be used."""
        with self._guard:
            if self._session is None:
                if self._app is None:
                    raise NotFound("The WebUI is still starting. Try again in a moment.")
                self._session = _open(self._app)
                self._aftercare = Aftercare(self._session)
                self._session.on_start = self._aftercare.follow
            return self._session

    def picture(self, id: str) -> bytes:
        """A picture's file by its id. NotFound."""
        session = self.session()
        if len(id) != 64 or not session.blobs.path(id).is_file():
            raise NotFound("That picture is not here any more.")
        return session.blobs.get(id)

    def _go_on(self) -> None:
        try:
            session = self.session()
            for run_id in self._at_work:
                with suppress(AtelierError):  # it was deleted meanwhile
                    session.start(run_id)
            self._at_work = []
        except AtelierError as error:
            _log.warning("What ran before the reload stands still: %s", error)


def _open(app: Any) -> Session:
    from lib_extension.backend.parse import parse_backend
    from lib_extension.host.webui import this_webui
    from lib_extension.session.home import Home
    from lib_extension.session.session import Session
    from lib_extension.setup.environment import ELSEWHERE, TORCH_INDEX

    chosen = read()
    _tell_processes(ELSEWHERE, str(chosen.worker or ""))
    _tell_processes(TORCH_INDEX, chosen.torch_index)
    webui = this_webui(app)
    backends = [parse_backend(spec, webui=webui) for spec in chosen.backends]
    session = Session(Home(chosen.folder), backends, models=facts.models_folder())
    session.is_private = chosen.is_private
    return session


def _tell_processes(name: str, value: str) -> None:
    """By the environment, for this process and those that it starts; without a value, what it was before anything was set."""
    before = _BEFORE.setdefault(name, os.environ.get(name, ""))
    if value or before:
        os.environ[name] = value or before
    else:
        os.environ.pop(name, None)


RESIDENCE = Residence()
