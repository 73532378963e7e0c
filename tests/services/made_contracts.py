"""Contracts that are made by code: as large as wanted, the same each time."""

from typing import Any

OPERATIONS_OF_A_PART = 10
"""As many operations as each part of a large contract has."""
_DEPTH = 12

Json = dict[str, Any]


def large_contract(parts: int = 50) -> Json:
    """Return a contract of 10 operations for each part, with nested collections and components that all parts share."""
    paths: dict[str, Json] = {}
    for number in range(parts):
        paths |= _part(f"/departments{number:03d}/files", number)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Many operations", "version": "1.0.0"},
        "servers": [{"url": "/REST/large/v1"}],
        "paths": paths,
        "components": {
            "parameters": {
                "FileId": _path_parameter("fileId", {"$ref": "#/components/schemas/Key"}),
                "PageId": _path_parameter("pageId", {"type": "integer", "format": "int32", "minimum": 1}),
                "Page": _query_parameter("page", {"type": "integer", "minimum": 1, "default": 1}),
                "PageSize": _query_parameter("pageSize", {"type": "integer", "minimum": 1, "maximum": 100}),
            },
            "responses": {"NotFound": _answer("Problem", "There is none.", "application/problem+json")},
            "schemas": _schemas(parts),
        },
    }


def _part(files: str, number: int) -> dict[str, Json]:
    """Return the paths of one part: a collection of files, each with a collection of pages."""
    file, page = f"File{number}", "Page"
    one = f"{files}/{{fileId}}"
    return {
        files: {
            "get": _operation(200, "Files") | {"parameters": [_parameter("Page"), _parameter("PageSize")]},
            "post": _operation(201, file, file),
        },
        one: {
            "parameters": [_parameter("FileId")],
            "get": _operation(200, file),
            "put": _operation(200, file, file),
            "patch": _operation(200, file, file, "application/merge-patch+json"),
            "delete": _operation(204),
        },
        f"{one}/pages": {
            "parameters": [_parameter("FileId")],
            "get": _operation(200, "Pages"),
            "post": _operation(201, page, page),
        },
        f"{one}/pages/{{pageId}}": {
            "parameters": [_parameter("FileId"), _parameter("PageId")],
            "get": _operation(200, page),
            "delete": _operation(204),
        },
    }


def _schemas(parts: int) -> dict[str, Json]:
    chain = {f"Level{depth}": _object(below=_reference(f"Level{depth + 1}")) for depth in range(_DEPTH)}
    files = {
        f"File{number}": _object(
            required=("title",),
            # What stands beside a reference means nothing in OpenAPI 3.0.
            fileId={"allOf": [_reference("Key")], "readOnly": True},
            title=_reference("Title"),
            chain=_reference("Level0"),
            **{f"number{number}": {"type": "integer", "maximum": number + 1}},
        )
        for number in range(parts)
    }
    return {
        "Key": {"type": "string", "pattern": "^[a-z0-9-]{1,36}$"},
        "Title": {"type": "string", "minLength": 1, "maxLength": 80},
        "Page": _object(
            required=("text",),
            pageId={"type": "integer", "format": "int32", "minimum": 1, "readOnly": True},
            text={"type": "string"},
        ),
        "Files": _object(required=("items",), items={"type": "array", "items": _object(title=_reference("Title"))}),
        "Pages": _object(required=("items",), items={"type": "array", "items": _reference("Page")}),
        "Problem": _object(type={"type": "string"}, status={"type": "integer"}),
        f"Level{_DEPTH}": _object(title=_reference("Title")),
        **chain,
        **files,
    }


def _operation(status: int, schema: str = "", body: str = "", media_type: str = "application/json") -> Json:
    said: Json = _answer(schema, "Done.") if schema else {"description": "Done."}
    if status == 201:
        said["headers"] = {"Location": {"schema": {"type": "string", "format": "uri"}}}
    made: Json = {"responses": {str(status): said, "404": {"$ref": "#/components/responses/NotFound"}}}
    if body:
        # A patch has some of the members only.
        sent = {"type": "object"} if "patch" in media_type else _reference(body)
        made["requestBody"] = {"required": True, "content": {media_type: {"schema": sent}}}
    return made


def _answer(schema: str, description: str, media_type: str = "application/json") -> Json:
    return {"description": description, "content": {media_type: {"schema": _reference(schema)}}}


def _object(*, required: tuple[str, ...] = (), **properties: Json) -> Json:
    said: Json = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties} | said


def _reference(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def _parameter(name: str) -> Json:
    return {"$ref": f"#/components/parameters/{name}"}


def _path_parameter(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameter(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "schema": schema}
