"""How does the name that a file got, or lost, outlive a power cut?"""

from __future__ import annotations

import errno
import os
from pathlib import Path

_CANNOT = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF}  # of file systems that flush no folders


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
