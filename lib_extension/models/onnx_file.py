"""Opening an ONNX file so that a broken one is a clear error and no more threads run than wanted."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from lib_extension.spec.errors import BadFile, NotFound


def open_onnx(path: Path, *, what: str) -> onnxruntime.InferenceSession:
    """Open an ONNX network on the CPU.

    Raises NotFound where there is no such file, BadFile where it is not a network; ``what`` names it in both.
    """
    if not path.is_file():
        raise NotFound(f"The {what} is missing: put its {path.name} into the folder {path.parent.name}.")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1  # the networks are small; the cores belong to the pictures
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises plain Exceptions of its own C++ types
        raise BadFile(f"The {what} ({path.name}) cannot be read as ONNX: download or write it again.") from error
