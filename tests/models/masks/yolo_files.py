"""Writes detectors in the form that YOLO exports have, small enough to know what they must find.

They cut a 64 px picture into cells of 8 px, each a box; how red a cell is, is its score for the class "red", and so with green.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE, CELL, CELLS = 64, 8, 8
NAMES = "{0: 'red', 1: 'green'}"


def write_detector(file: Path, *, masks: bool = False, names: str | None = NAMES, box: int = CELL) -> Path:
    """``box`` is the boxes' side in px. With ``masks``, an instance is the left half of the network's picture, as far as its box goes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    centres = (np.arange(CELLS) + 0.5) * CELL
    boxes = np.stack([*np.meshgrid(centres, centres), *np.full((2, CELLS, CELLS), float(box))]).reshape(1, 4, -1)
    constants = {"boxes": boxes, "shape": np.array([1, 2, CELLS * CELLS]), "first": np.array([0]), "third": np.array([2])}
    nodes = [
        helper.make_node("AveragePool", ["images"], ["cells"], kernel_shape=[CELL, CELL], strides=[CELL, CELL]),
        helper.make_node("Slice", ["cells", "first", "third", "channel"], ["red_green"]),
        helper.make_node("Reshape", ["red_green", "shape"], ["scores"]),
        helper.make_node("Concat", ["boxes", "scores", *(["coefficients"] if masks else [])], ["output0"], axis=1),
    ]
    constants["channel"] = np.array([1])
    outputs = [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 38 if masks else 6, CELLS * CELLS])]
    if masks:
        coefficients = np.zeros((1, 32, CELLS * CELLS))
        coefficients[:, 0] = 1
        prototypes = np.zeros((1, 32, 16, 16))
        prototypes[:, 0, :, :8], prototypes[:, 0, :, 8:] = 5, -5
        constants |= {"coefficients": coefficients, "prototypes": prototypes}
        nodes.append(helper.make_node("Identity", ["prototypes"], ["output1"]))
        outputs.append(helper.make_tensor_value_info("output1", TensorProto.FLOAT, [1, 32, 16, 16]))
    weights = [
        numpy_helper.from_array(value.astype(np.float32 if value.dtype == np.float64 else np.int64), name)
        for name, value in constants.items()
    ]
    taken = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    model = helper.make_model(helper.make_graph(nodes, "detector", [taken], outputs, weights), opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    if names is not None:
        helper.set_model_props(model, {"names": names})
    onnx.save(model, file)
    return file
