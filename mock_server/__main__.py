"""The entry of `fla-mock` and of `python -m mock_server`."""

import gc
import signal
import sys
import traceback

_FAULT = 2
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
        place = traceback.extract_tb(error.__traceback__)[-1]
        print(  # noqa: T201 - whatever went wrong, this works
            f"fla-mock: a fault of fla-mock itself ({type(error).__name__} in {place.name}): please report it.",
            file=sys.stderr,
        )
        sys.exit(_FAULT)


if __name__ == "__main__":
    main()
