"""The map of the code, held to: who may import whom, and what the channel may know."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mock_server"

# What each part may import of the others; what is not listed, it may not.
ALLOWED: dict[str, set[str]] = {
    "identifiers": set(),
    "clock": set(),
    "verdict": set(),
    "redaction": {"identifiers"},
    "strict_json": set(),
    "asgi": set(),
    "exchange": {"asgi", "verdict"},
    "problems": {"asgi"},
    "certificates": {"identifiers", "redaction", "verdict"},
    "world": {"certificates", "clock", "identifiers", "redaction", "strict_json", "verdict"},
    "gateway": {"world", "asgi", "exchange", "identifiers", "problems", "redaction", "verdict"},
    "oauth": {
        "gateway",
        "world",
        "asgi",
        "exchange",
        "identifiers",
        "redaction",
        "strict_json",
        "verdict",
    },
    "services": {
        "gateway",
        "world",
        "asgi",
        "exchange",
        "identifiers",
        "problems",
        "redaction",
        "strict_json",
        "verdict",
    },
    "portal": {"certificates", "world", "clock", "identifiers", "problems", "redaction", "verdict"},
    "control": {
        "__version__",
        "certificates",
        "gateway",
        "oauth",
        "portal",
        "world",
        "asgi",
        "clock",
        "exchange",
        "identifiers",
        "problems",
        "redaction",
        "strict_json",
        "verdict",
    },
}
CHANNEL = (
    "asgi",
    "certificates",
    "clock",
    "control",
    "exchange",
    "gateway",
    "identifiers",
    "oauth",
    "portal",
    "problems",
    "verdict",
    "world",
)


def modules(part: str) -> list[Path]:
    """Return the files of a part: one module, or a package."""
    folder = PACKAGE / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{part}.py"]


def imported(path: Path) -> set[str]:
    """Return the parts of the package that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "mock_server":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mock_server."):
            found.add((node.module or "").split(".")[1])
    return found


@pytest.mark.parametrize("part", ALLOWED)
def test_dependencies_point_one_way(part: str) -> None:
    """No part imports what stands above it, so there are no circles."""
    for path in modules(part):
        assert imported(path) - {part} <= ALLOWED[part], path.name


@pytest.mark.parametrize("part", CHANNEL)
def test_the_channel_knows_nothing_of_the_fla(part: str) -> None:
    """Code of the channel names no service: it serves the platform's other APIs as well."""
    for path in modules(part):
        assert not services_named(path), path.name


def test_the_engine_of_the_contracts_knows_nothing_of_the_fla() -> None:
    """What serves any contract names no service: that is for the catalogue and what it brings along."""
    # A requirement on access repeats what the guide says of Dimona.
    own = {PACKAGE / "services" / name for name in ("catalogue.py", "names.py", "given.py", "access.py")}
    own |= set(modules("services/fla"))
    engine = [path for path in modules("services") if path not in own]

    assert len(engine) > 20
    assert {path.name: services_named(path) for path in engine} == {path.name: [] for path in engine}


def services_named(path: Path) -> list[str]:
    """Return the words of a module's code that name a service."""
    service = re.compile(r"\bfla\b(?![-_]mock)|federal|dimona|\btrainings\b", re.IGNORECASE)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    # Sentences for people may say where a rule comes from; code may not depend on it.
    sentences = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [_text(node) for node in ast.walk(tree) if id(node) not in sentences]
    return [text for text in texts if service.search(text)]


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_the_kit_is_not_needed_to_serve() -> None:
    """The server imports none of the kit's libraries, nor the kit."""
    kit = {"conformance", "pytest", "schemathesis", "respx", "httpx", "hypothesis"}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & kit, path.name


def test_the_control_apis_libraries_are_not_loaded_at_start() -> None:
    """They take as long to load as everything else, and most runs never ask for it."""
    script = "import sys, mock_server.app, mock_server.server; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "uvicorn" in loaded
    assert not loaded & {"fastapi", "starlette", "multipart", "psycopg", "rich"}


def test_no_key_material_is_in_the_tree() -> None:
    """Keys are made at first use: no file that is tracked holds one."""
    marker = re.compile(rb"-----BEGIN (RSA |EC |ENCRYPTED )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{32}")
    folders = [
        ROOT / name for name in ("mock_server", "conformance", "tests", "docs", "examples", "openapi", "scripts")
    ]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]

    assert files
    assert not [path.name for path in files if marker.search(path.read_bytes())]
    assert not [path.name for path in files if path.suffix in {".key", ".pfx", ".p12", ".pem", ".jks"}]
