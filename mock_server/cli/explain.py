"""`fla-mock explain-assertion` and `fla-mock policy`: what the token endpoint would say, and why."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mock_server.cli.output import EXIT_REFUSED, print_json, print_trail, stop, trail_as_json
from mock_server.cli.printing import print_table
from mock_server.cli.serve import Environment, Keys, OwnAccounts, Policy, PolicyChange, World, flag, settings_from
from mock_server.oauth.policy import Policy as PolicyModel
from mock_server.oauth.policy import Preset

_LATEST = 253_370_764_800  # 9999-01-01T00:00:00Z
_MAX_INPUT = 1024 * 1024  # bytes


def explain_assertion(  # noqa: PLR0913 - each is a setting of the server that would judge it
    assertion: Annotated[
        str, typer.Argument(metavar="JWT", help="The client assertion, or - to read it from standard input.")
    ],
    *,
    world: World = None,
    account: OwnAccounts = None,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN_URL",
            help="Token URL that it would be sent to, which is an audience. Default: that of demo.json with the demo "
            "world, otherwise that of a server on --host and --port.",
        ),
    ] = None,
    scope: Annotated[str | None, typer.Option(help="Scope that would be asked for with it.")] = None,
    at: Annotated[float | None, typer.Option(help="Moment to judge it at, in Unix seconds; by default now.")] = None,
    environment: Environment = None,
    policy: Policy = None,
    change: PolicyChange = None,
    keys: Keys = None,
    host: Annotated[str | None, flag("host", "Address of the server that would judge it.")] = None,
    port: Annotated[int | None, flag("port", "Port of the server that would judge it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the trail as JSON.")] = False,
) -> None:
    """Judge a client assertion without sending it, and print every check.

    Exit code: 0 when a token would be given, 1 when not. Whether its jti was used before, only a running server knows.

    Example: fla-mock explain-assertion eyJhbGciOi…

    Example: fla-mock explain-assertion - --policy strict --at 1790000000 < assertion.txt
    """
    from mock_server.app import StartError, create_mock  # noqa: PLC0415 - slow to import
    from mock_server.clock import FixedClock, SystemClock  # noqa: PLC0415 - as above
    from mock_server.oauth import requirements as req  # noqa: PLC0415 - as above
    from mock_server.oauth.claims import Audiences  # noqa: PLC0415 - as above
    from mock_server.oauth.decision import judge_assertion  # noqa: PLC0415 - as above
    from mock_server.verdict import Trail  # noqa: PLC0415 - as above

    text = _standard_input() if assertion == "-" else assertion
    settings = settings_from(
        world=world,
        account=account,
        environment=environment,
        policy=policy,
        set=change,
        keys=keys,
        host=host,
        port=port,
        # Nothing is to be made, or changed, in a store that a server shares.
        store="memory",
    )
    now = SystemClock().now() if at is None else _moment(at)
    try:
        mock = create_mock(settings, clock=FixedClock(now), make_keys=False)
    except StartError as error:
        stop(str(error))
    called = url or _running(keys, settings.world) or mock.urls.token
    trail = Trail()
    audiences = Audiences(tuple(dict.fromkeys((called, *mock.audience.always))))
    judge_assertion(trail, text, mock.authority, audiences=audiences, now=now, scope=scope)
    mock.close()
    if trail.accepted:
        trail.not_judged(req.JTI_UNUSED, "only a running server knows")
    if as_json:
        print_json(trail_as_json(trail))
    else:
        print_trail(trail)
    if not trail.accepted:
        raise typer.Exit(EXIT_REFUSED)


def _moment(at: float) -> float:
    # What is compared with it lies a lifetime away, and is told as a date: so not to the last day of the year 9999.
    if not 0 <= at <= _LATEST:
        stop(f"--at: expected Unix seconds (not milliseconds), from 0 in 1970 to {_LATEST} in 9999, found {at!r}.")
    return at


def _standard_input() -> str:
    if sys.stdin is None:
        stop("standard input is closed: expected a client assertion on it, since the argument is “-”.")
    data = sys.stdin.buffer.read(_MAX_INPUT + 1)
    if len(data) > _MAX_INPUT:
        stop(f"standard input: expected a client assertion, found more than {_MAX_INPUT} bytes.")
    try:
        # A byte order mark is what some shells of Windows put before everything.
        return data.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        found = f"bytes that are no UTF-8 (the first at {error.start})"
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            found = "UTF-16, which PowerShell writes: say “-Encoding ascii” there"
        stop(f"standard input: expected a client assertion, which is ASCII text, found {found}.")


def _running(keys: Path | None, world: str) -> str | None:
    """Return the token URL of the demo world that was started last."""
    from mock_server.cli.manifest import manifest_path, read_manifest  # noqa: PLC0415 - as in the command

    path = manifest_path(keys)
    return str(read_manifest(path)["token_url"]) if world == "demo" and path.exists() else None


def policy_table(*, as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False) -> None:
    """Print what the token endpoint leaves to choose: the three presets, and how well each default is known.

    Change one field with “fla-mock serve --set NAME=VALUE”.

    Example: fla-mock serve --policy lenient --set invalid_client_status=401
    """
    rows = policy_rows()
    if as_json:
        print_json(rows)
        return
    cells = (
        [
            row["name"],
            *(_short(row[preset]) for preset in PRESETS),
            f"{row['provenance']}: {row['source']}",
            row["description"],
        ]
        for row in rows
    )
    texts = (*PRESETS, "known from", "meaning")
    print_table(("field", *PRESETS, "known from", "meaning"), cells, "", folded=texts, spare=("known from",))


PRESETS: tuple[Preset, ...] = ("documented", "lenient", "strict")


def policy_rows() -> list[dict[str, Any]]:
    """Return the fields of the policy with their values in each preset, and their provenance."""
    presets = {name: PolicyModel.preset(name).model_dump(mode="json") for name in PRESETS}
    rows = []
    for name, field in PolicyModel.model_fields.items():
        row: dict[str, Any] = {"name": name} | {preset: presets[preset][name] for preset in PRESETS}
        if isinstance(field.json_schema_extra, dict):
            row.update(field.json_schema_extra)
        rows.append({**row, "description": field.description or ""})
    return rows


def _short(value: object) -> str:
    if isinstance(value, list):
        return " ".join(str(part).removeprefix("https://") for part in value) or "none"
    return str(value)
