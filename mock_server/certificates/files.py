"""Reading what a user names as a file, which may turn out to be anything that a path can lead to."""

import errno
import os
import stat
from pathlib import Path

MAX_BYTES = 1024 * 1024
"""A certificate or key is a few kilobytes; what is larger than this is another file."""

_CHUNK = 65_536


def read_bounded(path: Path) -> bytes:
    """Return what a file holds: no more than one byte above `MAX_BYTES`, by which a larger one can be told.

    Beside files, what a shell makes of `<(…)` and `/dev/stdin` is read: pipes below /dev, and a terminal. A named pipe
    would wait for somebody to write into it, and a device may never end: they, folders and sockets raise `OSError`,
    as does everything that cannot be read.
    """
    # Without O_NONBLOCK, opening a named pipe would wait already.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except ValueError:
        raise OSError(errno.EINVAL, "its name has a null character", str(path)) from None
    try:
        _require_readable(descriptor, path)
        data = bytearray()
        while len(data) <= MAX_BYTES and (chunk := os.read(descriptor, min(_CHUNK, MAX_BYTES + 1 - len(data)))):
            data += chunk
        return bytes(data)
    finally:
        os.close(descriptor)


def _require_readable(descriptor: int, path: Path) -> None:
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    of_the_shell = stat.S_ISFIFO(mode) and path.as_posix().startswith(("/dev/", "/proc/"))
    if not of_the_shell and not os.isatty(descriptor):
        kind = (
            "named pipe" if stat.S_ISFIFO(mode) else "device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "socket"
        )
        raise OSError(errno.EINVAL, f"it is a {kind}, not a file", str(path))
    os.set_blocking(descriptor, True)
