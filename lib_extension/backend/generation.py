"""How does a body become checked pictures? Refused if unusable, worded for the host, sent, read, and held to every receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from lib_extension.backend.dialects import CONTROLNET, Dialect
from lib_extension.backend.errors import NotGuided
from lib_extension.backend.flights import Flight, Flights
from lib_extension.backend.leaks import Leaks
from lib_extension.backend.proofs import Proofs
from lib_extension.backend.receipts import Asked, check_receipts
from lib_extension.backend.returned import Returned, read_returned
from lib_extension.backend.signature import signed, was_halted
from lib_extension.backend.smallest import Smallest
from lib_extension.backend.unusable import refuse_unusable
from lib_extension.backend.wire import Wire
from lib_extension.spec.controlnet import read_units
from lib_extension.spec.inventory import Inventory
from lib_extension.spec.sdapi import Img2Img, Txt2Img
from lib_extension.stages.stage import Answer, Picture

_SAMPLERS = ("sampler_name", "sampler_index", "hr_sampler_name")
_SCHEDULERS = ("scheduler", "hr_scheduler")


@dataclass(frozen=True)
class Session:
    """One backend while it is connected."""

    wire: Wire
    dialect: Dialect
    inventory: Inventory
    leaks: Leaks
    proofs: Proofs
    flights: Flights


def generate(session: Session, body: Txt2Img | Img2Img, flight: Flight) -> Answer:
    """Make the pictures. Raises BackendError, BadRequest and Interrupted."""
    refuse_unusable(body)
    smallest = Smallest(
        lambda path, sent: session.flights.send(flight.another(), path, sent), session.wire.name, session.dialect, session.inventory
    )
    session.proofs.demand(body, smallest)
    sent, receipt = signed(worded(body, session), session.inventory)
    route = "img2img" if isinstance(body, Img2Img) else "txt2img"
    got = read_returned(session.flights.send(flight, f"/sdapi/v1/{route}", sent), session.wire.name)
    cut_short = was_halted(got) if receipt else flight.was_cut_short(str(got.info.get("job_timestamp")))
    session.leaks.mend(sent["override_settings"])
    try:
        check_receipts(Asked(body, session.inventory, session.wire.name, cut_short, receipt), got)
    except NotGuided:
        session.proofs.blame(body, smallest)
        raise
    return _answer(got)


def worded(body: Txt2Img | Img2Img, session: Session) -> dict[str, Any]:
    """The body as this host understands it. Every field that has a value is sent: hosts fill in what is left out in their own ways."""
    dialect, inventory = session.dialect, session.inventory
    sent = {field.name: getattr(body, field.name) for field in fields(body) if getattr(body, field.name) is not None}
    sent |= _as_listed(sent, inventory)
    sent |= dialect.second_pass(body) if isinstance(body, Txt2Img) else {}
    sent["override_settings"] = dialect.overrides(body.override_settings or {}, inventory)
    units = read_units(body.alwayson_scripts).units
    others = {name: args for name, args in body.alwayson_scripts.items() if name.lower() != CONTROLNET}
    worded_units = [dialect.unit(unit, inventory) for unit in units if unit.enabled]
    sent["alwayson_scripts"] = others | ({CONTROLNET: {"args": worded_units}} if worded_units else {})
    return sent


def _as_listed(sent: Mapping[str, Any], inventory: Inventory) -> dict[str, str]:
    """Samplers and schedulers under their first names: to an alias, or another case, a WebUI answers with another sampler."""
    samplers = {field: found.name for field in _SAMPLERS if (found := inventory.sampler(str(sent.get(field) or "")))}
    schedulers = {field: found.label for field in _SCHEDULERS if (found := inventory.scheduler(str(sent.get(field) or "")))}
    return samplers | schedulers


def _answer(got: Returned) -> Answer:
    pictures = [Picture(file.data, infotext, seed) for file, infotext, seed in zip(got.pictures, got.infotexts, got.seeds, strict=False)]
    return Answer(tuple(pictures), tuple(Picture(file.data) for file in got.extras))
