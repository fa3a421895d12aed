"""Opening an ONNX file so that a broken one is a clear error and no more threads run than wanted."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from lib_extension.spec.errors import BadFile, NotFound

LARGE = 50_000_000  # bytes of a network that works on all cores


def open_onnx(path: Path, *, what: str) -> onnxruntime.InferenceSession:
    """Open an ONNX network on the CPU.

    Raises NotFound where there is no such file, BadFile where it is not a network; ``what`` names it in both.
    """
    if not path.is_file():
        raise NotFound(f"The {what} is missing: put its {path.name} into the folder {path.parent.name}.")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if path.stat().st_size < LARGE:
        options.intra_op_num_threads = 1  # a small network gains nothing by more; the cores belong to the pictures
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises plain Exceptions of its own C++ types
        raise BadFile(f"The {what} ({path.name}) cannot be read as ONNX: download or write it again.") from error
