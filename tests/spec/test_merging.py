"""Are block weights read as the WebUI's extension reads them, and settings that contradict themselves refused?"""

from __future__ import annotations

import pytest

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.merging import BLOCKS, COMMANDS, PRESETS, BakeSettings, MergeSettings, Output, block_weights
from lib_extension.spec.settings import from_json, json_schema, to_json


def test_lists_name_blocks() -> None:
    found = block_weights(",".join(str(n) for n in range(17)))
    assert (found["BASE"], found["IN01"], found["IN02"], found["IN04"], found["M00"], found["OUT03"], found["OUT11"]) == (
        0,
        1,
        2,
        3,
        7,
        8,
        16,
    )
    assert found["IN00"] == found["IN03"] == found["OUT00"] == 0
    assert list(block_weights(",".join(str(n) for n in range(26))).values()) == list(range(26))
    assert block_weights("1,2,3,4,5,6,7,8,9,10,11,12")["OUT05"] == 12


@pytest.mark.parametrize(
    ("preset", "numbers"),
    [
        ("ALL", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"),
        ("NONE", "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"),
        ("INS", "1,1,1,1,0,0,0,0,0,0,0,0,0,0,0,0,0"),
        ("IND", "1,0,0,0,1,1,1,0,0,0,0,0,0,0,0,0,0"),
        ("INALL", "1,1,1,1,1,1,1,0,0,0,0,0,0,0,0,0,0"),
        ("MIDD", "1,0,0,0,1,1,1,1,1,1,1,1,0,0,0,0,0"),
        ("OUTD", "1,0,0,0,0,0,0,0,1,1,1,1,0,0,0,0,0"),
        ("OUTS", "1,0,0,0,0,0,0,0,0,0,0,0,1,1,1,1,1"),
        ("OUTALL", "1,0,0,0,0,0,0,0,1,1,1,1,1,1,1,1,1"),
        ("ALL0.5", "0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5"),
    ],
)
def test_presets_are_the_known_ones(preset: str, numbers: str) -> None:
    """On the 17 blocks that SD1's LoRAs have."""
    seventeen = ["BASE", *(f"IN{n:02}" for n in (1, 2, 4, 5, 7, 8)), "M00", *(f"OUT{n:02}" for n in range(3, 12))]
    assert [block_weights(preset)[block] for block in seventeen] == [float(number) for number in numbers.split(",")]
    assert preset in PRESETS


def test_presets_for_sdxl_reach_its_blocks() -> None:
    found = block_weights("OUTD", "sdxl")
    assert [block for block in BLOCKS if found[block]] == ["BASE", "OUT00", "OUT01", "OUT02"]


@pytest.mark.parametrize("text", ["MIDDD", "1,2,3", "1,x,3", "nan," * 16 + "1"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        block_weights(text)


@pytest.mark.parametrize(
    ("cls", "data", "told"),
    [
        (MergeSettings, {"loras": []}, "at least one"),
        (BakeSettings, {"checkpoint": {"file": "a"}}, "nothing to bake"),
        (BakeSettings, {"checkpoint": {"file": "a"}, "mix": {"kind": "difference", "other": {"file": "b"}}}, "needs a checkpoint"),
        (BakeSettings, {"checkpoint": {"file": "a", "sha256": "12"}, "loras": [{"file": "b"}]}, "no SHA-256"),
        (Output, {"name": "a/b"}, "output.name has '/' in it"),
        *((Output, {"name": name}, "output.name is") for name in ("a.", " a", "CON", "nul", "aux.v1", "LPT1.x")),
        (MergeSettings, {"loras": [{"file": "a", "blocks": "MID"}]}, "neither a preset"),
    ],
)
def test_contradictions(cls: type, data: dict[str, object], told: str) -> None:
    with pytest.raises(BadRequest, match=told):
        from_json(cls, data)


def test_settings_have_a_schema_and_come_back() -> None:
    for settings in COMMANDS.values():
        assert json_schema(settings)["properties"]
    asked = from_json(MergeSettings, {"loras": [{"file": "a"}], "method": {"kind": "ties", "density": 0.3}})
    assert from_json(MergeSettings, to_json(asked)) == asked
