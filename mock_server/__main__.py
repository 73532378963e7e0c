"""The entry of `fla-mock` and of `python -m mock_server`."""

import gc


def main() -> None:
    """Run the command line."""
    # What is imported lives as long as the process: looking for garbage among it takes a tenth of the start. The server
    # switches the collector on again when it is up; the other commands are over before it would matter.
    gc.disable()
    from mock_server.cli import main as run  # noqa: PLC0415 - nothing slow is imported before that

    run()


if __name__ == "__main__":
    main()
