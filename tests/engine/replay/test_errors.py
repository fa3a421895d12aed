"""Recorded refusals, sent to the engine in lenient mode: the same status and the same words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.replay.recordings import Recording, recordings
from tests.engine.replay.test_generations import with_our_hash
from tests.engine.running import Running

NOT_AS_RECORDED = {
    "interrogate-deepdanbooru-offline",  # There the model could not be fetched; the engine has its own tagger.
    "interrogate-clip-offline",
}

REFUSALS = [
    recording
    for group in ("errors", "controlnet")
    for recording in recordings(group)
    if recording.status != 200 and recording.name not in NOT_AS_RECORDED
]


@pytest.mark.parametrize("recording", REFUSALS, ids=lambda recording: recording.name)
def test_a_recorded_refusal_is_answered_as_recorded(recording: Recording, lenient: Running) -> None:
    body: dict[str, Any] = {}
    if recording.raw_body is not None:
        body = {"content": recording.raw_body.encode(), "headers": {"Content-Type": "application/json"}}
    elif recording.body is not None:
        body = {"json": with_our_hash(recording.body, lenient)}
    answer = lenient.client.request(recording.method, recording.path, **body)
    assert answer.status_code == recording.status, answer.text[:500]
    assert answer.json() == recording.response
