"""How do bytes that nothing changes get from one file to another fastest?

By the kernel (`copy_file_range`, which shares the blocks where the file system can, else `sendfile`), or through a small piece of memory:
where neither is there, between file systems, and where the bytes are hashed on the way.
"""

from __future__ import annotations

import errno
import os
from typing import Any

from trainer.merging.output_file import OutputFile
from trainer.merging.tensor_file import TensorFile

_MOST = 1 << 30  # bytes a call
_CANNOT = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.ETXTBSY}


def copy(source: TensorFile, start: int, end: int, output: OutputFile, digest: Any = None) -> None:
    """Append the source's bytes from `start` to `end`; a hashlib object `digest` sees them too."""
    if digest is None:
        start = _by_kernel(source, start, end, output)
    for piece in source.pieces(start, end):
        if digest is not None:
            digest.update(piece)
        output.write(piece)


def _by_kernel(source: TensorFile, start: int, end: int, output: OutputFile) -> int:
    """How far it came."""
    for call in (_copy_file_range, _sendfile):
        while start < end:
            count = call(source.fileno(), output.fileno(), start, min(_MOST, end - start))
            if not count:
                break
            output.copied(count)
            start += count
    return start


def _copy_file_range(source: int, output: int, start: int, size: int) -> int:
    if not hasattr(os, "copy_file_range"):
        return 0
    try:
        return os.copy_file_range(source, output, size, start)
    except OSError as error:
        return _nothing_or(error)


def _sendfile(source: int, output: int, start: int, size: int) -> int:
    if not hasattr(os, "sendfile"):
        return 0
    try:
        return os.sendfile(output, source, start, size)  # elsewhere than on Linux, only sockets take it: ENOTSOCK
    except OSError as error:
        return _nothing_or(error)


def _nothing_or(error: OSError) -> int:
    if error.errno in _CANNOT or error.errno == errno.ENOTSOCK:
        return 0
    raise error
