"""The entry of `fla-mock` and of `python -m mock_server`."""

import contextlib
import errno
import gc
import os
import signal
import sys
import traceback

_FAULT = 2
_FULL = (errno.ENOSPC, errno.EDQUOT)
_INTERRUPTED = 130  # as a shell says of a command that Ctrl-C ended


def main() -> None:
    """Run the command line."""
    # What is imported lives as long as the process: looking for garbage among it takes a tenth of the start. The server
    # switches the collector on again when it is up; the other commands are over before it would matter.
    gc.disable()
    # Until the server has its own way to stop, a signal ends the program quietly.
    status = 0 if sys.argv[1:2] == ["serve"] else _INTERRUPTED
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(status))
    from mock_server.cli import main as run  # noqa: PLC0415 - nothing slow is imported before that

    try:
        run()
    except Exception as error:  # noqa: BLE001 - the last resort: nobody is shown a stack trace
        # Standard error may be what is broken.
        with contextlib.suppress(OSError):
            print(f"fla-mock: {_told(error)}", file=sys.stderr)  # noqa: T201 - whatever went wrong, this works
        sys.exit(_FAULT)


def _told(error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and not _has_folder():
        return "the current folder is not there any more: change to one that is."
    if isinstance(error, OSError) and error.errno in _FULL:
        return f"cannot write: {error.strerror}. Make room, or write elsewhere."
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"a fault of fla-mock itself ({type(error).__name__} in {place.name}): please report it."


def _has_folder() -> bool:
    try:
        return bool(os.getcwd())  # noqa: PTH109 - no path is wanted
    except OSError:
        return False


if __name__ == "__main__":
    main()
