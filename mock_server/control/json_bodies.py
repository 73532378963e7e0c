"""Bodies of the control API: JSON that means one thing, of the media type that is expected, and nothing else."""

from collections.abc import Callable, Collection, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from mock_server import problems, strict_json
from mock_server.asgi import media_type
from mock_server.control.errors import ProblemError
from mock_server.portal.errors import RefusedError
from mock_server.problems import SCHEMA_VIOLATION, Issue
from mock_server.redaction import shown

JSON = "application/json"


class JsonRoute(APIRoute):
    """A route whose body, if its function takes one, is JSON; any other media type is refused with 415."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with a look at the body before it."""
        handle = super().get_route_handler()
        field = self.body_field
        if field is None:
            return handle
        required = field.field_info.is_required()

        async def read_first(request: Request) -> Response:
            body = await request.body()
            if body or required:
                request = _Read(request, body, parse_json(request, body))
            return await handle(request)

        return read_first


class _Read(Request):
    """A request whose body was read and parsed."""

    def __init__(self, request: Request, body: bytes, value: object) -> None:
        super().__init__(request.scope, request.receive)
        self._whole = body
        self._value = value

    async def body(self) -> bytes:
        return self._whole

    async def json(self) -> Any:  # noqa: ANN401 - JSON is any value
        return self._value


def parse_json(request: Request, body: bytes) -> Any:  # noqa: ANN401 - JSON is any value
    """Return the value of a JSON body. Raises `ProblemError` (415), and `RefusedError` when it is no JSON."""
    require_media_type(request, [JSON])
    if not body:
        issue = Issue(SCHEMA_VIOLATION, "body", "", "expected a JSON object; found an empty body")
        raise RefusedError("Expected a JSON object as the body, and got an empty body.", [issue])
    try:
        return strict_json.loads(body)
    except strict_json.StrictJsonError as error:
        issue = Issue(SCHEMA_VIOLATION, "body", "", f"expected JSON that means one thing; found: {error}")
        msg = f"Expected JSON that means one thing as the body: {error}. Mend it and send it again."
        raise RefusedError(msg, [issue]) from None


def require_media_type(request: Request, expected: Collection[str]) -> str:
    """Return the media type of a request, in lower case. Raises `ProblemError` (415)."""
    values = request.headers.getlist("content-type")
    kind = media_type(values[0]) if len(values) == 1 else ""
    if kind not in expected:
        found = shown(", ".join(values)) if values else "no Content-Type"
        msg = f"Expected the Content-Type {' or '.join(expected)}, and got {found}."
        raise ProblemError(problems.unsupported_media_type(msg))
    charset = [part.partition("=") for part in values[0].split(";")[1:]]
    wrong = [value for name, _, value in charset if name.strip().lower() == "charset" and not _is_utf_8(value)]
    if wrong:
        msg = f"Expected the charset UTF-8, and got {shown(wrong[0])}."
        raise ProblemError(problems.unsupported_media_type(msg))
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        msg = f"Expected a body without Content-Encoding, and got {shown(request.headers['content-encoding'])}."
        raise ProblemError(problems.unsupported_media_type(msg))
    return kind


def _is_utf_8(value: str) -> bool:
    return value.strip().strip('"').lower() in {"utf-8", "us-ascii"}
