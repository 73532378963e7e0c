"""The page to try the control API with, and the document that it shows."""

import re

from tests.support import Caller

_ADDRESS = re.compile(r"""(?:src|href)=["']([^"']+)["']|url\(["']?([^"')]+)|\burl:\s*["']([^"']+)["']""")


def test_the_page_asks_nothing_of_another_server(caller: Caller) -> None:
    """All that it loads is on this server, so it works without a network."""
    page = caller.call("GET", "/_mock/docs")
    addresses = {next(filter(None, found)) for found in _ADDRESS.findall(page.body.decode())}

    assert page.headers["content-type"].startswith("text/html")
    assert any(address.endswith(".js") for address in addresses)
    assert all(address.startswith("/_mock/") for address in addresses), addresses
    assert {caller.call("GET", address).status for address in addresses} == {200}
    assert b"//" not in re.sub(rb"(?s)<script>.*?</script>|<!--.*?-->", b"", page.body)


def test_the_document_describes_every_operation(caller: Caller) -> None:
    """Each has a name of its own, a summary, and its refusals as problems; none has FastAPI's own 422."""
    document = caller.call("GET", "/_mock/openapi.json").json
    operations = [
        (f"{method} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]
    names = [operation["operationId"] for _, operation in operations]

    assert len(names) == len(set(names)) > 40
    assert [place for place, operation in operations if not operation.get("description")] == []
    assert [place for place, operation in operations if "422" in operation["responses"]] == []
    assert document["components"]["schemas"]["Problem"]["required"] == ["type", "title", "status", "detail", "instance"]
