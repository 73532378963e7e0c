"""Reading accounts and certificates out of a request: JSON, a form with files, or a file as the body itself."""

import base64
import binascii
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile

from mock_server import problems
from mock_server.control.chaman_models import AccountBody, CertificateBody, NameBody
from mock_server.control.errors import ProblemError, bad_request
from mock_server.control.json_bodies import JSON, parse_json, require_media_type
from mock_server.portal.chaman import CERTIFICATES_MAX, NewAccount
from mock_server.portal.errors import RefusedError
from mock_server.portal.texts import NAME_MAX
from mock_server.portal.uploads import CERTIFICATE_MAX, Upload
from mock_server.problems import INVALID_INPUT, SCHEMA_VIOLATION, UNKNOWN_INPUT, Issue

FORM = "multipart/form-data"
FILES = ("application/pkix-cert", "application/x-x509-ca-cert", "application/octet-stream")
DEFAULT_NAME = "certificate"

_MAX_FILES = 10
_MAX_FIELDS = 50
_PEM_STARTS = "-----BEGIN "

Model = TypeVar("Model", bound=BaseModel)


async def read_account(request: Request) -> NewAccount:
    """Read what an account is made of, from JSON or a form.

    Raises `RefusedError` and `RequestValidationError` for wrong input, `ProblemError` for another media type or what is
    too large.
    """
    if require_media_type(request, [JSON, FORM]) == FORM:
        members, uploads = await _account_form(request)
    else:
        members, uploads = parse_json(request, await request.body()), ()
    body = _valid(AccountBody, members)
    return NewAccount(
        name=body.name,
        permissions=tuple(body.permissions),
        certificates=(*_decoded(body.certificates), *uploads),
        client_id=body.client_id,
        client_id_form=body.client_id_form,
    )


async def read_certificate(request: Request, name: str | None) -> Upload:
    """Read a certificate: the body itself, named by the query, or the file of a form, named by a field or its own name.

    Raises as `read_account`.
    """
    if require_media_type(request, [*FILES, FORM]) != FORM:
        data = await request.body()
        if len(data) > CERTIFICATE_MAX:
            raise _too_large()
        return Upload(DEFAULT_NAME if name is None else name, data)
    fields, uploads = await _parts(request, once=["name"], many=[])
    if len(uploads) != 1:
        issue = Issue(SCHEMA_VIOLATION, "body", "certificate", f"expected one file; found {len(uploads)}")
        msg = f"Expected one file, in the part “certificate” of the form, and got {len(uploads)}."
        raise RefusedError(msg, [issue])
    given = fields.get("name") or name
    return uploads[0] if given is None else uploads[0]._replace(name=_valid(NameBody, {"name": given}).name)


async def _account_form(request: Request) -> tuple[dict[str, Any], tuple[Upload, ...]]:
    fields, uploads = await _parts(request, once=["name", "client_id", "client_id_form"], many=["permission"])
    # What a page leaves blank, it sends as an empty text.
    members = {name: value for name, value in fields.items() if value or name == "name"}
    if "permission" in members:
        members["permissions"] = members.pop("permission")
    return members, uploads


async def _parts(
    request: Request, once: Collection[str], many: Collection[str]
) -> tuple[dict[str, Any], tuple[Upload, ...]]:
    """Return the fields of a form, and the files of its parts `certificate`."""
    try:
        form = await request.form(max_files=_MAX_FILES, max_fields=_MAX_FIELDS, max_part_size=CERTIFICATE_MAX)
    except ValueError:  # of the parser, in older versions
        raise ProblemError(bad_request("The form is broken: it does not follow its boundary, or is cut off.")) from None
    try:
        return await _read_parts(form, once, many)
    finally:
        await form.close()


async def _read_parts(
    form: FormData, once: Collection[str], many: Collection[str]
) -> tuple[dict[str, Any], tuple[Upload, ...]]:
    fields: dict[str, Any] = {}
    uploads: list[Upload] = []
    issues: list[Issue] = []
    for name, value in form.multi_items():
        is_file = isinstance(value, UploadFile)
        if name == "certificate" and isinstance(value, UploadFile):
            uploads += [await _upload(value, len(uploads))] if value.size or value.filename else []
        elif name == "certificate":
            issues.append(Issue(SCHEMA_VIOLATION, "body", name, "expected a file; found a field of text"))
        elif name not in {*once, *many}:
            issues.append(Issue(UNKNOWN_INPUT, "body", name[:NAME_MAX], "this part is not known here"))
        elif is_file:
            issues.append(Issue(SCHEMA_VIOLATION, "body", name, "expected a field of text; found a file"))
        elif name in many:
            fields.setdefault(name, []).append(value)
        elif name in fields:
            issues.append(Issue(INVALID_INPUT, "body", name, "expected it once; found it twice"))
        else:
            fields[name] = value
    if issues:
        known = ", ".join([*once, *many, "certificate (a file)"])
        told = "; ".join(f"{issue.name}: {issue.detail}" for issue in issues[:5])
        msg = f"The form cannot be accepted: {told}. Its parts are {known}."
        raise RefusedError(msg, issues)
    return fields, tuple(uploads)


async def _upload(file: UploadFile, index: int) -> Upload:
    data = await file.read(CERTIFICATE_MAX + 1)
    if len(data) > CERTIFICATE_MAX:
        raise _too_large()
    # Some browsers send the whole path, and on Windows with its own separator.
    name = (file.filename or "").replace("\\", "/").rpartition("/")[2]
    return Upload(name or f"{DEFAULT_NAME} {index + 1}", data)


def _decoded(certificates: list[CertificateBody]) -> list[Upload]:
    """Return the files that certificates are in base64 of."""
    uploads: list[Upload] = []
    issues: list[Issue] = []
    for index, entry in enumerate(certificates):
        text = entry.der.strip()
        try:
            is_pem = text.startswith(_PEM_STARTS)
            data = text.encode() if is_pem else base64.b64decode("".join(text.split()), validate=True)
            uploads.append(Upload(entry.name, data))
        except (binascii.Error, ValueError):
            # What came is not told: it may be a key.
            detail = "expected the certificate file in base64, or its PEM text; found another text"
            issues.append(Issue(INVALID_INPUT, "body", f"certificates[{index}].der", detail))
    if issues:
        msg = "A certificate cannot be read: expected the file (.cer) in base64, or its PEM text. Nothing was stored."
        raise RefusedError(msg, issues)
    return uploads


def _too_large() -> ProblemError:
    return ProblemError(problems.payload_too_large(CERTIFICATE_MAX))


def _valid(model: type[Model], members: object) -> Model:
    try:
        return model.model_validate(members)
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors(include_url=False)]
        raise RequestValidationError(faults) from None


# How the bodies above are described, since they are read by hand.


def described(content: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the `openapi_extra` of an operation whose body has these media types, each with its schema."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": dict(s)} for kind, s in content.items()}}}


def inline_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a model with all that it refers to inside."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def resolved(value: Any) -> Any:  # noqa: ANN401 - JSON is any value
        if isinstance(value, list):
            return [resolved(item) for item in value]
        if not isinstance(value, dict):
            return value
        rest = {name: resolved(item) for name, item in value.items() if name != "$ref"}
        name = value.get("$ref", "").rpartition("/")[2]
        return {**resolved(definitions[name]), **rest} if name else rest

    return dict(resolved(schema))


_FILE = {"type": "string", "format": "binary", "description": "The certificate (.cer). Never a private key."}

ACCOUNT_BODY = described(
    {
        JSON: inline_schema(AccountBody),
        FORM: {
            "type": "object",
            "required": ["name"],
            "additionalProperties": False,
            "properties": {
                **{
                    name: inline_schema(AccountBody)["properties"][name]
                    for name in ("name", "client_id", "client_id_form")
                },
                "permission": {"type": "array", "items": {"type": "string"}, "description": "One part for each."},
                "certificate": {"type": "array", "items": _FILE, "maxItems": min(_MAX_FILES, CERTIFICATES_MAX)},
            },
        },
    }
)
CERTIFICATE_BODY = described(
    {
        **dict.fromkeys(FILES, _FILE),
        FORM: {
            "type": "object",
            "required": ["certificate"],
            "additionalProperties": False,
            "properties": {"certificate": _FILE, "name": inline_schema(NameBody)["properties"]["name"]},
        },
    }
)
