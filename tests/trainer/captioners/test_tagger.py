"""Are a tagger's scores read by its own list: thresholds per category, ratings apart, spelling as asked?"""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from lib_extension.spec.captioning import TaggerSettings
from lib_extension.spec.errors import BadFile
from trainer.captioners.tagger import TaggerCaptioner

SCORES = {
    "general": (9, 0.2),
    "explicit": (9, 0.7),
    "red_hair": (0, 0.4),
    "^_^": (0, 0.9),
    "saber_(fate)": (4, 0.8),
    "rin": (4, 0.9),
    "sky": (0, 0.3),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A network that gives every picture the same scores, for one picture at a time or many."""
    scores = helper.make_tensor("scores", TensorProto.FLOAT, [1, len(SCORES)], [score for _, score in SCORES.values()])
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
        helper.make_node("Mul", ["column", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "scores"], ["output"]),
    ]
    constants = [
        scores,
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0]),
    ]
    graph = helper.make_graph(
        nodes,
        "tagger",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 8, 8, 3])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", len(SCORES)])],
        constants,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "model.onnx")
    rows = [f"{i},{name},{category},1" for i, (name, (category, _)) in enumerate(SCORES.items())]
    (tmp_path / "selected_tags.csv").write_text("\n".join(["tag_id,name,category,count", *rows]), "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("more", "tags"),
    [
        ({}, ("^_^", "rin", "red hair")),
        ({"threshold": 0.3}, ("^_^", "rin", "red hair", "sky")),
        ({"character_threshold": 0.5}, ("^_^", "rin", "saber (fate)", "red hair")),
        ({"character_threshold": 0.5, "escape": True, "underscores": True}, ("^_^", "rin", r"saber_\(fate\)", "red_hair")),
        ({"rating": True, "most": 1}, ("^_^", "explicit")),
        ({"threshold": 1.0, "character_threshold": 1.0}, ()),
    ],
)
def test_tags(folder: Path, more: dict[str, object], tags: tuple[str, ...]) -> None:
    captioner = TaggerCaptioner(TaggerSettings("tagger", str(folder), **more))  # type: ignore[arg-type]
    picture = Image.new("RGB", (20, 10), "red")
    assert [one.tags for one in captioner.describe([picture, picture.convert("RGBA")])] == [tags, tags]


def test_a_list_that_does_not_fit_is_refused(folder: Path) -> None:
    with (folder / "selected_tags.csv").open("a") as rows:
        rows.write("\n7,more,0,1")
    with pytest.raises(BadFile, match=r"gives 7 scores, but its selected_tags\.csv lists 8"):
        TaggerCaptioner(TaggerSettings("tagger", str(folder)))
