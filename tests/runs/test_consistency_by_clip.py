"""Pictures are judged anew, and by another network, once the user has put a CLIP into the models folder."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from lib_extension.pictures.png import encode_png
from lib_extension.runs.records import Result
from lib_extension.session.asked import Asked
from lib_extension.session.session import Session
from tests.engine.running import engine
from tests.models.clip_files import told_by_clip, write_clip
from tests.runs.workshop import recipe
from tests.session.rooms import carry_out, room

PICTURES = {name: Image.effect_noise((48, 48), 20 + 60 * place).convert("RGB") for place, name in enumerate(("front", "side"))}
WANTED = recipe(
    {
        "id": "pick",
        "type": "review",
        "takes": ["front", "side"],
        "scores": [{"kind": "consistency", "reference": "front"}],
        "auto": "top 1",
    },
    inputs={name: {"type": "image"} for name in PICTURES},
)


def judged(session: Session) -> Result:
    run = carry_out(session, Asked(recipe=WANTED, pictures={name: encode_png(image) for name, image in PICTURES.items()}))
    assert run.state == "done", run.message
    result = session.ledger.results.get(session.ledger.nodes(run.id)[0].key)
    assert result is not None
    return result


def test_a_clip_judges_where_there_is_one(tmp_path: Path):
    models = tmp_path / "models"
    models.mkdir()
    with engine(tmp_path / "log", "--model", "none", "--models-dir", str(models)) as running:
        url = str(running.client.base_url)
        with room(tmp_path / "home", url) as session:
            by_tagger = judged(session)
            assert by_tagger == judged(session)
            assert [one.facts["networks"] for one in by_tagger.pictures] == [{"consistency": "demo tagger"}] * 2
            write_clip(models / "clip_vision")
            by_clip = judged(session)
            assert by_clip.key != by_tagger.key
            assert [one.facts["networks"] for one in by_clip.pictures] == [{"consistency": "clip_vision"}] * 2
            front, side = (told_by_clip(models / "clip_vision", image) for image in PICTURES.values())
            found = [one.facts["scores"]["consistency"] for one in by_clip.pictures]
            assert abs(found[0] - 1) < 1e-5
            assert abs(found[1] - max(0.0, float(front @ side))) < 1e-4
            write_clip(models / "clip_vision", seed=1)
            assert judged(session).key not in (by_clip.key, by_tagger.key)
