"""How are class pictures begun? As an ordinary run, whose pictures go into their folder when it has ended, whoever carries it out."""

from __future__ import annotations

from pathlib import Path

from lib_extension.session.class_orders import made_ready
from lib_extension.session.class_recipe import class_recipe
from lib_extension.session.outlook import Outlook
from lib_extension.session.session import Session
from lib_extension.spec.class_pictures import ClassPicturesSettings


def add_class_pictures(session: Session, settings: ClassPicturesSettings) -> tuple[str, Outlook]:
    """Write down the run, after preflight; it is yet to be started. BadRequest, PreflightRefused, StorageError."""
    asked = class_recipe(settings)
    into = Path(settings.into).expanduser().absolute()
    made_ready(into)
    run_id, outlook = session.add(asked)
    session.class_orders.add(run_id, into)
    return run_id, outlook
