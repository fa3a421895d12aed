"""How does a file get its name although others look at it, and how does a name that it got, or lost, outlive a power cut?"""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

_CANNOT = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF}  # of file systems that flush no folders


def replace(source: Path, target: Path) -> None:
    """os.replace that waits for Windows, where a virus scanner or a viewer holds files open for a moment."""
    for wait in (0.1, 0.2, 0.4, 0.8, 1.6):
        try:
            source.replace(target)
            return
        except PermissionError:
            time.sleep(wait)
    source.replace(target)


def flush_folder(folder: Path) -> None:
    """Have the names in the folder on the disk. OSError where the disk fails, nothing where there is no such call, as on Windows."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(handle)
