"""A run of sixty stages and two hundred items, half of it done, written down without being carried out."""

from __future__ import annotations

import json
from typing import Any

from lib_extension.runs.records import NodeRecord
from lib_extension.session.session import Session
from lib_extension.stages import load_recipe

STAGES, ITEMS = 60, 200


def large_run(session: Session) -> str:
    """Its id."""
    shared = {"steps": 4, "sampler_name": "Euler", "scheduler": "Automatic", "seed": 7, "prompt": "{place}"}
    stages: list[dict[str, Any]] = [{"id": "s0", "type": "txt2img"}]
    stages += [{"id": f"s{n}", "type": "img2img", "takes": f"s{n - 1}"} for n in range(1, STAGES)]
    recipe = {"name": "large", "settings": shared, "stages": stages, "axes": {"place": [f"place {n}" for n in range(ITEMS)]}}
    run_id = session.runner.add(load_recipe(recipe))
    places = [(f"s{stage}", f"s{stage}/{item}/0") for stage in range(STAGES) for item in range(ITEMS)]
    nodes = [NodeRecord(key=f"{number:064x}", stage=stage, place=place) for number, (stage, place) in enumerate(places)]
    session.ledger.runs.set_nodes(run_id, nodes)
    done = [node.key for number, node in enumerate(nodes) if number % 2]
    with session.ledger.database.write() as connection:
        connection.executemany("INSERT INTO results VALUES (?, 'img2img', '', '{}', 'stub', 0.5, 1, 0, 2e9)", [(key,) for key in done])
        pictures = [(key, key[::-1]) for key in done]
        connection.executemany("INSERT INTO pictures VALUES (?, 0, ?, 1000, '', 7, '{}')", pictures)
    session.ledger.runs.set_state(run_id, "paused")
    return run_id


def finished(number: int) -> str:
    """What the event of a finished stage instance holds, as the ledger has it."""
    stage = f"s{number % STAGES}"
    told = {"key": f"{number:064x}", "stage": stage, "place": f"{stage}/{number}/0", "backend": "engine:demo", "seconds": 0.01}
    return json.dumps(told | {"pictures": [f"{number:064x}"], "reason": ""})
