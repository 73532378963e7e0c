"""Writes the parts of the documentation that come from code, or checks that they are up to date.

python scripts/documentation.py           write
python scripts/documentation.py --check   fail when something would change
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from mock_server.certificates import acceptance
from mock_server.cli.explain import PRESETS, policy_rows
from mock_server.gateway import requirements as gateway
from mock_server.oauth import requirements as oauth
from mock_server.services import access, phase
from mock_server.services import requirements as api
from mock_server.services.fla import requirements as fla
from mock_server.settings import Settings
from mock_server.verdict import Requirement
from scripts import contracts_readme

DOCS = Path(__file__).resolve().parent.parent / "docs"
NOTE = "<!-- Written by scripts/documentation.py: change the code, then run it. -->"


def policy() -> str:
    """Return the settings of the token endpoint as a page."""
    lines = [
        "# What the token endpoint leaves to choose",
        NOTE,
        "",
        "Each is changed with `fla-mock serve --set NAME=VALUE`; lists are written with commas. “Known from” is the",
        "default's provenance: `documented` (the guide or another official page), `rfc`, or `assumed` (our choice).",
        "",
        "| field | " + " | ".join(f"`{preset}`" for preset in PRESETS) + " | known from | meaning |",
        "|---" * (len(PRESETS) + 3) + "|",
    ]
    for row in policy_rows():
        values = " | ".join(_cell(row[preset]) for preset in PRESETS)
        known = f"{row['provenance']}: {row['source']}"
        lines.append(f"| `{row['name']}` | {values} | {_plain(known)} | {_plain(row['description'])} |")
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, list):
        return "<br>".join(f"`{part}`" for part in value) or "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _plain(text: str) -> str:
    return text.replace("|", "\\|")


def settings() -> str:
    """Return the settings of `fla-mock serve` as a page."""
    lines = [
        "# What the server can be told",
        NOTE,
        "",
        "Each is a flag of `fla-mock serve` and a variable of the environment; the flag goes before the variable. In a",
        "variable, a list is written with blanks between its entries, or as a JSON array.",
        "",
        "| flag | variable | default | meaning |",
        "|---|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "none" if field.default in (None, ()) else _cell(field.default)
        flag = f"`--{name.replace('_', '-')}`"
        lines.append(f"| {flag} | `FLA_MOCK_{name.upper()}` | {default} | {_plain(field.description or '')} |")
    lines += [
        "",
        "Other variables:",
        "",
        "| variable | of | meaning |",
        "|---|---|---|",
        "| `FLA_MOCK_URL` | commands that ask a running server | Its URL; default `http://127.0.0.1:8425`. |",
        "| `FLA_WORLD` | commands that ask a running server | The world that they ask; default `default`. |",
        "| `FLA_CA_FILE` | commands that ask a running server | The CA to trust, for https. |",
        "| `FLA_DEMO_JSON` | `token` | The `demo.json` to read; `fla-mock exec` sets it. |",
        "| `FLA_MOCK_PFX_PASSWORD` | `cert`, `token` | The password of a PFX. |",
    ]
    return "\n".join(lines) + "\n"


def requirements() -> str:
    """Return every check that a trail can hold as a page."""
    sections: list[tuple[str, str, Iterable[Requirement]]] = [
        (
            "Token endpoint",
            "In the order of the check list; what needs no registered data is judged a little earlier.",
            oauth.ALL,
        ),
        ("Gateway", "On every call of an API.", gateway.ALL),
        ("Contract", "On the input of a call, and on what comes of it.", api.ALL),
        ("Access", "Who may act for whom.", access.ALL),
        ("Phases", "On every call of an API of a service that ends.", phase.ALL),
        ("FLA", "On what is sent, beyond what the two contracts of the FLA say.", fla.ALL),
        ("Certificates", "What ChaMan accepts.", acceptance.ALL),
    ]
    lines = [
        "# Requirements",
        NOTE,
        "",
        "Every check that the console, `fla-mock explain-assertion` and `fla-mock cert check` can name. `documented`:",
        "the guide or another official page says so; `platform`: a convention of the platform's REST APIs; `rfc`: an",
        "RFC that the platform names; `assumed`: our choice, nothing public says so.",
    ]
    for title, introduction, entries in sections:
        lines += ["", f"## {title}", "", introduction, ""]
        lines += ["| id | requirement | source | provenance |", "|---|---|---|---|"]
        for entry in entries:
            cells = [entry.id, _plain(entry.statement), _plain(entry.source), entry.provenance]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write or check every page; return the exit status."""
    try:
        contracts = contracts_readme.page()
    except contracts_readme.ProvenanceError as error:
        print(f"scripts/documentation.py: {error}", file=sys.stderr)
        return 1
    pages = {
        contracts_readme.PAGE: contracts,
        DOCS / "policy.md": policy(),
        DOCS / "requirements.md": requirements(),
        DOCS / "settings.md": settings(),
    }
    if "--check" in sys.argv[1:]:
        stale = [
            str(path.relative_to(DOCS.parent))
            for path, text in pages.items()
            if not path.exists() or path.read_text("utf-8") != text
        ]
        if stale:
            print(f"out of date: {', '.join(stale)}; run python scripts/documentation.py", file=sys.stderr)
        return 1 if stale else 0
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
