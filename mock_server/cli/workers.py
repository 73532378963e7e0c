"""`--workers`: several processes that serve one socket."""

import asyncio
import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator

import typer

from mock_server.cli.output import EXIT_UNUSABLE, stop

_READY = b"."
_PAUSE = 0.05
"""Seconds before a worker is started again; twice as long when the last one ended soon, so often."""
_LONGEST_PAUSE = 5.0
_SOON = 10.0
_LOOK_AFTER = 0.1
"""Seconds between two looks for a worker that ended before it had started."""


def supervise(count: int, serve: Callable[[Callable[[], None]], None], on_started: Callable[[], None]) -> int:
    """Run so many processes, each of which serves and says when it has started; return the exit status.

    One that ends by itself after it had started is started again: a process that is killed takes nothing with it but
    the requests that it was answering. SIGTERM and Ctrl-C stop all, and so does the end of this process.
    """
    if not hasattr(os, "fork"):
        stop("--workers: this system cannot fork processes; start one process, or several on ports of their own.")
    return _Supervisor(serve).run(count, on_started)


class _Supervisor:
    def __init__(self, serve: Callable[[Callable[[], None]], None]) -> None:
        self._serve = serve
        self._children: set[int] = set()
        self._is_stopping = False
        self._pause = _PAUSE
        self._last_start = 0.0
        self._start_again_at = 0.0
        self._writable: int | None
        self._readable, self._writable = os.pipe()
        # Nothing is ever written to this one: it ends when this process does, however it ends.
        self._parents_end, self._parents_life = os.pipe()

    def run(self, count: int, on_started: Callable[[], None]) -> int:
        with self._signals():
            for _ in range(count):
                self._start()
            if not self._all_started(count):
                status = 0 if self._is_stopping else EXIT_UNUSABLE
                self._stop()
                self._wait()
                return status
            on_started()
            while self._children:
                self._await_one()
        return 0

    def _start(self) -> None:
        if self._is_stopping:
            return
        sys.stdout.flush()
        sys.stderr.flush()
        self._last_start = time.monotonic()
        child = os.fork()
        if child == 0:
            self._be_a_child()
        self._children.add(child)
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        # By a signal that came while a child was made, of which its handler did not know.
        if self._is_stopping:
            self._stop()

    def _be_a_child(self) -> None:
        status = EXIT_UNUSABLE
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            os.close(self._readable)
            os.close(self._parents_life)
            # A signal that came before those lines was taken by the handler that the parent has.
            if not self._is_stopping:
                self._serve(self._say_ready)
            status = 0
        except typer.Exit as error:
            status = error.exit_code
        except Exception as error:  # noqa: BLE001 - the last thing that a process does is to say what ended it
            typer.echo(f"fla-mock: a worker ended: {type(error).__name__}: {error}", err=True)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            # Not sys.exit: what the parent has to do at its end is not to be done by its children.
            os._exit(status)

    def _say_ready(self) -> None:
        asyncio.get_running_loop().add_reader(self._parents_end, os.kill, os.getpid(), signal.SIGTERM)
        # For a worker that is started again nobody waits.
        if self._writable is not None:
            os.write(self._writable, _READY)

    def _all_started(self, count: int) -> bool:
        """Wait until all have started; False as soon as one has ended instead, or a signal came."""
        started = 0
        while started < count:
            if self._is_stopping:
                return False
            readable, _, _ = select.select([self._readable], [], [], _LOOK_AFTER)
            if readable:
                started += len(os.read(self._readable, count))
                continue
            child, _ = os.waitpid(-1, os.WNOHANG)
            if child:
                self._children.discard(child)
                return False
        if self._writable is not None:
            os.close(self._writable)
            self._writable = None
        return True

    def _await_one(self) -> None:
        try:
            child, status = os.wait()
        except ChildProcessError:
            self._children.clear()
            return
        self._children.discard(child)
        if self._is_stopping:
            return
        code = os.waitstatus_to_exitcode(status)
        typer.echo(f"fla-mock: worker {child} ended with {code}, and is started again", err=True)
        # One that cannot start, because its store is gone for instance, is not to be tried without a pause.
        self._pause = min(2 * self._pause, _LONGEST_PAUSE) if time.monotonic() - self._last_start < _SOON else _PAUSE
        self._start_again_at = time.monotonic() + self._pause
        while self._rests():
            time.sleep(_PAUSE)
        self._start()

    def _rests(self) -> bool:
        return not self._is_stopping and time.monotonic() < self._start_again_at

    def _wait(self) -> None:
        while self._children:
            self._await_one()

    def _stop(self, *_: object) -> None:
        self._is_stopping = True
        for child in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        original = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in original.items():
                signal.signal(number, handler)
