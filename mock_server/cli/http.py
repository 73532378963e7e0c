"""One HTTP request to a mock, and why there was no answer."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult

from mock_server.cli.output import stop
from mock_server.cli.printing import plain

_SIGNED_BY_ITSELF = 18  # X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT of OpenSSL


class NoAnswerError(Exception):
    """Nobody answered, or not with HTTP; `is_refused` when nothing listens there."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error) or type(error).__name__)
        self.cause = error
        self.is_refused = isinstance(error, ConnectionRefusedError)
        self.is_late = isinstance(error, TimeoutError)


class TooLargeError(Exception):
    """The answer is longer than what is read of it."""


def send(  # noqa: PLR0913 - each is a part of a request
    parts: SplitResult,
    method: str,
    target: str,
    data: bytes | None,
    headers: Mapping[str, str],
    *,
    ca_file: str | None,
    ca_named_in: str,
    timeout: float,
    limit: int,
) -> tuple[int, Mapping[str, str], bytes]:
    """Send a request; return status, headers (names in lower case) and body of the answer, `limit` bytes at most.

    `timeout` is in seconds of silence. Raises `NoAnswerError` and `TooLargeError`; ends the program with 2 when the
    file of CA certificates cannot be used, of which `ca_named_in` says where it was named.
    """
    # http.client, not urllib: a proxy of the environment has no business between a command and a local server.
    from http.client import (  # noqa: PLC0415 - slow to import
        HTTPConnection,
        HTTPException,
        HTTPSConnection,
        IncompleteRead,
    )

    host, port = parts.hostname or "", parts.port
    connection = (
        HTTPSConnection(host, port, timeout=timeout, context=_context(ca_file, ca_named_in))
        if parts.scheme == "https"
        else HTTPConnection(host, port, timeout=timeout)
    )
    try:
        connection.request(method, target, data, dict(headers))
        with connection.getresponse() as response:
            body = response.read(limit + 1)
            if response.length and len(body) <= limit:
                raise IncompleteRead(body, response.length)
    except (OSError, HTTPException, UnicodeError) as error:
        raise NoAnswerError(error) from error
    finally:
        connection.close()
    if len(body) > limit:
        raise TooLargeError
    return response.status, {name.lower(): text for name, text in response.headers.items()}, body


def certificate_advice(error: NoAnswerError, advice: str) -> str | None:
    """Return what to do about a certificate that cannot be verified, None when that is not what is wrong."""
    if "CERTIFICATE_VERIFY_FAILED" not in str(error):
        return None
    if getattr(error.cause, "verify_code", None) == _SIGNED_BY_ITSELF:
        return (
            "no CA signed its certificate, as with --tls-untrusted, so nothing can vouch for it: these commands need a "
            "mock that was started with --tls."
        )
    return advice


def _context(ca_file: str | None, named_in: str) -> Any:  # noqa: ANN401 - the type is in ssl, which is imported late
    import ssl  # noqa: PLC0415 - for https only

    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:  # ssl's own errors are of the first kind
        stop(plain(f"{ca_file} ({named_in}) cannot be used: expected a file of CA certificates, found: {error}."))
