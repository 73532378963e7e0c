"""The body of a call: of a media type that the operation reads, within limits, and valid by the contract."""

from dataclasses import dataclass

from mock_server import problems
from mock_server.asgi import (
    BodyTooLargeError,
    BodyTooSlowError,
    Receive,
    Scope,
    header_values,
    only_header,
    read_body,
    refuse_announced,
)
from mock_server.exchange import Exchange
from mock_server.gateway import requirements as gateway
from mock_server.problems import SCHEMA_VIOLATION, Issue
from mock_server.redaction import shown
from mock_server.services import requirements as req
from mock_server.services.documents.schemas import Direction
from mock_server.services.outcomes import NOTHING
from mock_server.services.refused import Refused, refuse_if, refused
from mock_server.services.validation import BodySchema, Content, UnreadableError
from mock_server.strict_json import Json


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a body is read, and for how long (bytes, seconds)."""

    body_bytes: int
    body_seconds: float


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call whose body has not been read yet."""

    scope: Scope
    receive: Receive
    exchange: Exchange
    limits: Limits
    drops_read_only: bool = False
    """Whether members that only the server sets are left out of what was sent."""

    @property
    def has_body(self) -> bool:
        """Whether a body follows, as far as the headers say."""
        lengths = header_values(self.scope, b"content-length")
        return bool(header_values(self.scope, b"transfer-encoding")) or (bool(lengths) and lengths[0].strip("0") != "")

    async def value(self, body: BodySchema) -> Json:
        """Return the value of the body; `NOTHING` when there is none, bytes where it is of a kind that is not read.

        Raises `Refused`, and `ClientGoneError`.
        """
        if not self.has_body and not header_values(self.scope, b"content-type"):
            missing = [Issue(SCHEMA_VIOLATION, "body", "", "a body is required")] if body.required else []
            refuse_if(self.exchange.trail, req.JSON, missing)
            return NOTHING
        content, data = await self._read(body)
        return self._judged(body, content, data)

    async def _read(self, body: BodySchema) -> tuple[Content, bytes]:
        trail, limits = self.exchange.trail, self.limits
        try:
            # The size that is announced before the media type; what is sent is read after it.
            refuse_announced(self.scope, limits.body_bytes)
            content = self._content(body)
            data = await read_body(self.scope, self.receive, limit=limits.body_bytes, seconds=limits.body_seconds)
        except Refused as refusal:
            refusal.unread = True
            raise
        except BodyTooLargeError:
            trail.failed(gateway.SIZE, f"at most {limits.body_bytes} bytes", "more")
            raise Refused(problems.payload_too_large(limits.body_bytes), unread=True) from None
        except BodyTooSlowError:
            trail.failed(
                gateway.COMPLETE, f"the whole body within {limits.body_seconds:g} seconds", "only a part of it"
            )
            raise Refused(problems.request_timeout(limits.body_seconds), unread=True) from None
        trail.passed(gateway.SIZE, f"{len(data)} bytes")
        trail.passed(gateway.COMPLETE)
        self.exchange.request.body, self.exchange.request.body_size = data, len(data)
        return content, data

    def _content(self, body: BodySchema) -> Content:
        """Return what the contract says of the media type that came. Raises `Refused`, a 415."""
        trail = self.exchange.trail
        written = header_values(self.scope, b"content-type")
        content = body.content_for(written[0]) if len(written) == 1 else None
        charset = _charset(written[0]) if written else ""
        if content is None or (charset not in {"", "utf-8"} and content.is_value):
            wanted = " or ".join(dict.fromkeys(one.media_type for one in body.contents))
            found = "no Content-Type" if not written else shown(", ".join(written))
            trail.failed(gateway.MEDIA_TYPE, f"{wanted}, in UTF-8", found)
            raise Refused(problems.unsupported_media_type(f"The body must be {wanted}, in UTF-8"))
        encoding = (only_header(self.scope, b"content-encoding") or "identity").strip().lower()
        if encoding != "identity":
            trail.failed(gateway.MEDIA_TYPE, "no Content-Encoding", shown(encoding))
            raise Refused(problems.unsupported_media_type("The body must not have a content encoding"))
        trail.passed(gateway.MEDIA_TYPE)
        return content

    def _judged(self, body: BodySchema, content: Content, data: bytes) -> Json:
        trail = self.exchange.trail
        if not data and not body.required:
            return NOTHING
        try:
            value = body.parse(content, data, header_values(self.scope, b"content-type")[0])
        except UnreadableError as error:
            raise refused(trail, req.JSON, [Issue(SCHEMA_VIOLATION, "body", "", str(error))]) from None
        trail.passed(req.JSON)
        refuse_if(trail, req.SCHEMA, content.issues(value))
        if self.drops_read_only and content.schema is not None and not isinstance(value, bytes):
            return content.schema.without(value, Direction.REQUEST)
        return value


def _charset(content_type: str) -> str:
    found = [
        part.partition("=")[2].strip(' "').lower()
        for part in content_type.split(";")[1:]
        if part.partition("=")[0].strip().lower() == "charset"
    ]
    return found[0] if len(found) == 1 else ",".join(found)
