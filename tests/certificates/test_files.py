"""What is read where a user names a file."""

import contextlib
import os
import socket
import threading
from pathlib import Path

import pytest

from mock_server.certificates.files import MAX_BYTES, read_bounded

posix_only = pytest.mark.skipif(os.name != "posix", reason="pipes and devices have names on POSIX systems only")


@pytest.mark.parametrize("size", [0, 1, 70_000, MAX_BYTES])
def test_a_file_is_read_whole(tmp_path: Path, size: int) -> None:
    """Up to the limit, not a byte is missing."""
    path = tmp_path / "file"
    path.write_bytes(os.urandom(size))

    assert path.read_bytes() == read_bounded(path)


def test_of_a_large_file_one_byte_more_than_the_limit_is_read(tmp_path: Path) -> None:
    """Which tells that it is too large; a sparse file of a terabyte costs no more."""
    path = tmp_path / "file"
    with path.open("wb") as opened:
        opened.truncate(10**12)

    assert len(read_bounded(path)) == MAX_BYTES + 1


@posix_only
def test_a_pipe_of_the_shell_is_read() -> None:
    """What stands for `<(…)` is read until its writer is done, also when it writes in pieces and late."""
    data = os.urandom(200_000)
    reading, writing = os.pipe()
    writer = threading.Thread(target=_write, args=(writing, data))
    writer.start()
    try:
        assert data == read_bounded(Path(f"/dev/fd/{reading}"))
    finally:
        os.close(reading)
        writer.join()


def _write(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb", buffering=0) as pipe:
        for start in range(0, len(data), 50_000):
            pipe.write(data[start : start + 50_000])


@posix_only
def test_a_pipe_without_end_is_not_read_for_ever() -> None:
    """One byte more than the limit is enough."""
    reading, writing = os.pipe()
    writer = threading.Thread(target=_write_until_closed, args=(writing,))
    writer.start()
    try:
        assert len(read_bounded(Path(f"/dev/fd/{reading}"))) == MAX_BYTES + 1
    finally:
        os.close(reading)
        writer.join()


def _write_until_closed(descriptor: int) -> None:
    with contextlib.suppress(BrokenPipeError):
        while True:
            os.write(descriptor, bytes(65_536))
    os.close(descriptor)


@posix_only
def test_a_terminal_is_read() -> None:
    """What is pasted there ends with Ctrl-D."""
    import pty  # noqa: PLC0415 - not there on Windows

    keyboard, terminal = pty.openpty()
    try:
        os.write(keyboard, b"pasted\n\x04")
        assert read_bounded(Path(os.ttyname(terminal))) == b"pasted\n"
    finally:
        os.close(keyboard)
        os.close(terminal)


@posix_only
@pytest.mark.parametrize("kind", ["named pipe", "device", "socket"])
def test_what_may_never_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Nobody waits for a pipe that nobody writes into, and no device fills the memory."""
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    path = Path("thing")
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "named pipe":
            os.mkfifo(path)
        elif kind == "device":
            path.symlink_to("/dev/zero")
        else:
            listener.bind(str(path))

        with pytest.raises(OSError, match=r"it is a|No such device or address|not supported") as refused:
            read_bounded(path)

    assert refused.value.filename is not None


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """As the system says it."""
    with pytest.raises(OSError, match=r"directory|denied"):
        read_bounded(tmp_path)


def test_a_name_that_no_file_can_have_is_refused() -> None:
    """A setting in JSON can say a null character, a path cannot."""
    with pytest.raises(OSError, match="null character"):
        read_bounded(Path("a\0b"))
