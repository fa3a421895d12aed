"""Is the process that started us still there? WebUIs end by os._exit, which tells their children nothing."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Callable

LOOK_EVERY = 1.0


def when_gone(pid: int, call: Callable[[], None]) -> None:
    """Calls, once and from a thread of its own, when the process has ended (also when it ended before)."""
    threading.Thread(target=lambda: (_wait_for(pid), call()), name="parent-watch", daemon=True).start()


def _wait_for(pid: int) -> None:
    if sys.platform == "win32":
        _wait_on_windows(pid)
    elif hasattr(os, "pidfd_open"):
        _wait_on_linux(pid)
    else:
        while _exists(pid):
            time.sleep(LOOK_EVERY)


def _wait_on_linux(pid: int) -> None:
    """A pidfd tells a process that ended but was not yet collected by its own parent, too."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        select.select([handle], [], [])
    finally:
        os.close(handle)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _wait_on_windows(pid: int) -> None:
    import ctypes

    synchronize, forever = 0x00100000, 0xFFFFFFFF
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
    kernel.OpenProcess.restype = ctypes.c_void_p
    kernel.WaitForSingleObject.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    handle = kernel.OpenProcess(synchronize, False, pid)
    if handle:
        kernel.WaitForSingleObject(handle, forever)
