"""The world file: what it may hold, and how each fault is told."""

import base64
import contextlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mock_server.clock import ClockState
from mock_server.gateway.faults import parse
from mock_server.identifiers import Capacity, Quarter
from mock_server.services.catalogue import services
from mock_server.world import file
from mock_server.world.entries import LISTS, TABLES, Entry
from mock_server.world.export import export_state, import_state
from mock_server.world.file import WorldFileError, open_world
from mock_server.world.model import (
    Administrator,
    CalendarYear,
    Employments,
    MandateStatus,
    OwnNumber,
    Period,
    RegisteredCertificate,
    StoredFault,
    WorldState,
)
from tests.support import certificate, write_world

ENTERPRISES = """
[[enterprises]]
number = "1999000150"
name = "Employer"
capacities = ["employer"]

[[enterprises]]
number = "1999000249"
name = "Secretariat"
capacities = ["social-secretariat", "employer"]

[[enterprises]]
number = "1999000348"
name = "Provider"
capacities = ["service-provider"]
"""
ACCOUNT = """
[[accounts]]
name = "My account"
enterprise = "1999000150"
capacity = "employer"
client_id = "self_service_expeditor_1"
permissions = ["fla"]
certificates = [{ file = "rsa-2048.cer" }]
"""
MANDATE = """
[[mandates]]
mandator = "1999000150"
mandatary = "1999000249"
service = "fla"
start = "2025Q1"
"""
DOCUMENT = '[[documents]]\napi = "api"\npath = "path"\n'
RIVAL = MANDATE.replace("1999000249", "1999000348")


def load(folder: Path, text: str) -> WorldState:
    """Load a world from TOML text."""
    return open_world(write_world(folder, text)).state(services())


def test_a_world_holds_what_its_file_says(tmp_path: Path) -> None:
    """Enterprises, accounts, mandates, employments and settings are read with their types."""
    state = load(
        tmp_path,
        "[settings]\nemployments = 'closed'\nmandatary_own_number = 'allow'\n"
        + ENTERPRISES
        + ACCOUNT
        + MANDATE
        + 'end = "2025Q4"\n[[employments]]\nenterprise = "1999000150"\nssin = "65111899997"\n',
    )

    (account,), (mandate,), (employment,) = state.accounts, state.mandates, state.employments
    assert (
        account.client_id,
        account.capacity,
        account.permissions,
    ) == ("self_service_expeditor_1", Capacity.EMPLOYER, ("fla",))
    assert [("rsa-2048.cer", certificate())] == [(entry.name, entry.der) for entry in account.certificates]
    assert (Quarter(2025, 1), Quarter(2025, 4)) == (mandate.start, mandate.end)
    assert employment.ssin == "65111899997"
    assert (state.settings.employments, state.settings.mandatary_own_number) == (Employments.CLOSED, OwnNumber.ALLOW)


MORE = """
[settings]
activation_delay = 900
calendar_year_in_mandate = "require"

[clock]
frozen_at = 2026-03-01T12:00:00+01:00

[[enterprises]]
number = "1999000447"
name = "Trainer"
capacities = ["training-provider"]
employments = "closed"
administrators = { training-provider = { email = "a@trainer.example", local_administrator = "An Trainer" } }

[[accounts]]
name = "Timed"
enterprise = "1999000447"
capacity = "training-provider"
client_id = "timed"
permissions = ["fla", "dimona", "fla"]
permission_periods = { fla = { active_until = "2026-03-01T11:00:00Z" }, dimona = {} }
active_from = 1772362800
certificates = [{ file = "rsa-2048.cer", active_from = 1772362800.5 }]

[[documents]]
api = "api"
path = "things/1"
body = { a = 1, b = 1.0, c = ["é"] }

[[documents]]
api = "api"
path = ""
text = ''' { "a" : null } '''

[[faults]]
do = { status = 503 }
seen = 2
"""


def test_a_world_holds_all_that_can_happen_to_one(tmp_path: Path) -> None:
    """Administrators, periods, documents, the clock and scripted faults stand in a file too."""
    moment = 1_772_362_800.0
    state = open_world(write_world(tmp_path, MORE)).state(services(), validate_fault=parse)

    (enterprise,), (account,), (entry,) = state.enterprises, state.accounts, state.accounts[0].certificates
    who = Administrator("a@trainer.example", "An Trainer")
    assert (enterprise.employments, enterprise.administrators) == (
        Employments.CLOSED,
        {Capacity.TRAINING_PROVIDER: who},
    )
    assert (account.permissions, account.permission_periods) == (("fla", "dimona"), {"fla": Period(None, moment)})
    assert (account.period, entry.period) == (Period(moment), Period(moment + 0.5))
    assert (state.settings.activation_delay, state.settings.calendar_year_in_mandate) == (900, CalendarYear.REQUIRE)
    assert state.clock == ClockState(0.0, moment)
    assert [document.body for document in state.documents] == ['{"a":1,"b":1.0,"c":["é"]}', '{"a":null}']
    assert state.faults == (StoredFault(1, {"do": {"status": 503}}, 2, 0),)


def test_an_empty_file_is_an_empty_world(tmp_path: Path) -> None:
    """Nothing is mandatory, and employees are not asked about."""
    assert WorldState() == load(tmp_path, "")


def test_a_certificate_may_stand_in_the_file_itself(tmp_path: Path) -> None:
    """`der` is the certificate in base64, so that a world is one file."""
    der = base64.b64encode(certificate()).decode()
    state = load(tmp_path, ENTERPRISES + ACCOUNT.replace('file = "rsa-2048.cer"', f'name = "one", der = "{der}"'))

    assert [("one", certificate())] == [(entry.name, entry.der) for entry in state.accounts[0].certificates]


def test_a_certificate_may_stand_in_several_lines(tmp_path: Path) -> None:
    """Base64 is often broken into lines."""
    lines = base64.encodebytes(certificate()).decode()
    entry = f"name = 'one', der = '''{lines}'''"
    state = load(tmp_path, ENTERPRISES + ACCOUNT.replace('file = "rsa-2048.cer"', entry))

    assert state.accounts[0].certificates == (RegisteredCertificate("one", certificate()),)


@pytest.mark.parametrize(("file", "name"), [("a" * 251 + ".cer", "a" * 251 + ".cer"), ("a\n.cer", "certificate 1")])
def test_a_certificate_has_the_name_of_its_file(tmp_path: Path, file: str, name: str) -> None:
    """Unless that cannot be a name."""
    (tmp_path / file).write_bytes(certificate())
    state = load(tmp_path, ENTERPRISES + ACCOUNT.replace("rsa-2048.cer", file.replace("\n", "\\n")))

    assert [name] == [entry.name for entry in state.accounts[0].certificates]


def test_a_file_that_is_larger_than_a_certificate_is_not_read_to_its_end(tmp_path: Path) -> None:
    """What is larger than any certificate is refused for its size."""
    (tmp_path / "large.cer").write_bytes(bytes(2**21))

    with pytest.raises(WorldFileError, match="found more than 1048576 bytes"):
        load(tmp_path, ENTERPRISES + ACCOUNT.replace("rsa-2048", "large"))


def test_a_certificate_that_has_expired_may_be_registered(tmp_path: Path) -> None:
    """It was valid when it was registered; the token endpoint refuses what it signs now."""
    state = load(tmp_path, ENTERPRISES + ACCOUNT.replace("rsa-2048.cer", "rsa-expired.cer"))

    assert len(state.accounts[0].certificates) == 1


FAULTS: dict[str, tuple[str, str]] = {
    "TOML that is broken": ("enterprises = [", "not valid TOML"),
    "a number in place of a list": ("enterprises = 3", "enterprises: should be a list; found 3"),
    "a number in place of a table": ("mandates = [1]", "mandates[0]: should be a table; found 1"),
    "a list in place of a table": ("settings = []", "settings: should be a table; found []"),
    "an unknown table": ("[[companies]]", "companies: is not known here; known are enterprises, accounts"),
    "an unknown member": (
        ENTERPRISES.replace('name = "Employer"', 'title = "Employer"'),
        "enterprises[0].title: is not known here; known are number, name",
    ),
    "an unknown setting": ("[settings]\nemployment = 'open'", "settings.employment: is not known here"),
    "an unknown member of a certificate": (
        ENTERPRISES + ACCOUNT.replace("file =", "path ="),
        "accounts[0].certificates[0].path (“My account”): is not known here; known are name, file, der",
    ),
    "a missing member": (ENTERPRISES.replace('name = "Employer"', ""), "enterprises[0].name: is missing"),
    "an enterprise number with a wrong check digit": (
        ENTERPRISES.replace("1999000150", "1999000151"),
        "enterprises[0].number (“Employer”): the check digits (the last two) of this enterprise number are wrong",
    ),
    "an enterprise number that is a number": (
        ENTERPRISES.replace('"1999000150"', "1999000150"),
        "enterprises[0].number (“Employer”): should be text, in quotes; found 1999000150",
    ),
    "an enterprise twice": (ENTERPRISES + ENTERPRISES, "1999000150 is there twice"),
    "an unknown capacity": (
        ENTERPRISES.replace('["employer"]', '["boss"]'),
        "should be employer, social-secretariat, service-provider or training-provider; found “boss”",
    ),
    "a client id with a space": (
        ENTERPRISES + ACCOUNT.replace("self_service_expeditor_1", "my id"),
        "accounts[0].client_id (“My account”): a client id is",
    ),
    "a client id twice": (ENTERPRISES + ACCOUNT + ACCOUNT, "client_id self_service_expeditor_1 is used twice"),
    "an account of an unknown enterprise": (
        ENTERPRISES + ACCOUNT.replace("1999000150", "1999000447"),
        "accounts[0] (“My account”): enterprise 1999000447 is not among the enterprises",
    ),
    "an account of a capacity that its enterprise does not have": (
        ENTERPRISES + ACCOUNT.replace('"employer"', '"training-provider"'),
        "does not have the capacity training-provider",
    ),
    "a number of 5,000 digits": ("x = " + "1" * 5_000, "not valid TOML: a number in it has thousands of digits"),
    "a number of 5,000 digits in another base": (
        "[settings]\nactivation_delay = 0x" + "f" * 5_000,
        "settings.activation_delay: should be a number; found a huge number",
    ),
    "a thousand levels": ("x = " + "[" * 5_000, "not valid TOML: it is nested too deep"),
    "a member that would forge a line": ('"a\\nb" = 1', "“a\\nb”: is not known here"),
    "a moment without a zone": (
        ENTERPRISES + ACCOUNT + "active_from = 2026-01-01T00:00:00",
        "accounts[0].active_from (“My account”): a moment is written with its zone, like 2027-01-01T00:00:00+01:00",
    ),
    "a day in place of a moment": ("[clock]\nfrozen_at = 2026-01-01", "in Unix seconds; found “2026-01-01”"),
    "no number in place of a moment": ("[clock]\nfrozen_at = nan", "in Unix seconds; found nan"),
    "no number in place of an offset": ("[clock]\noffset = inf", "clock.offset: should be a number; found inf"),
    "a document with a date": (
        DOCUMENT + "body = { x = 2026-01-01 }",
        "documents[0].body: JSON has no dates and times",
    ),
    "a document with no number": (DOCUMENT + "body = { x = nan }", "documents[0].body: JSON has no NaN"),
    "a document with a huge number": (DOCUMENT + f"body = 0x{'f' * 5_000}", "documents[0].body: JSON has no NaN"),
    "a document with a number beyond all doubles": (
        DOCUMENT + f"body = 0x{'f' * 400}",
        "documents[0].body: a number is beyond double precision",
    ),
    "a document that is too deep": (
        DOCUMENT + "body = " + "[" * 33 + "]" * 33,
        "documents[0].body: nested deeper than 32 levels",
    ),
    "a fault where nobody can judge it": (
        "[[faults]]\ndo = { status = 503 }",
        "faults[0]: scripted faults are not taken here; add them to the running mock",
    ),
    "a certificate whose name has a NUL": (
        ENTERPRISES + ACCOUNT.replace("rsa-2048", "\\u0000"),
        "certificates[0]: “\\x00.cer” cannot be read: no file can have such a name",
    ),
    "a certificate that is a folder": (
        ENTERPRISES + ACCOUNT.replace("rsa-2048.cer", "."),
        "certificates[0]: “.” cannot be read: Is a directory",
    ),
    "a certificate that is a device": (
        ENTERPRISES + ACCOUNT.replace("rsa-2048.cer", "/dev/zero"),
        "certificates[0]: “/dev/zero” cannot be read: it is not a file, but a device, a pipe or a socket",
    ),
    "a certificate in letters beyond ASCII": (
        ENTERPRISES + ACCOUNT.replace('file = "rsa-2048.cer"', 'der = "é"'),
        "certificates[0]: der is not base64",
    ),
    "an unknown permission": (
        ENTERPRISES + ACCOUNT.replace('["fla"]', '["flu"]'),
        "permission “flu” names no service; known are fla, dimona",
    ),
    "a certificate that is not there": (
        ENTERPRISES + ACCOUNT.replace("rsa-2048.cer", "missing.cer"),
        "accounts[0] (“My account”).certificates[0]: “missing.cer” cannot be read: No such file",
    ),
    "a certificate that is none": (
        ENTERPRISES + ACCOUNT.replace("rsa-2048.cer", "world.toml"),
        "accounts[0] (“My account”).certificates[0]: ",
    ),
    "a certificate that is not base64": (
        ENTERPRISES + ACCOUNT.replace('file = "rsa-2048.cer"', 'der = "?"'),
        "der is not base64",
    ),
    "a certificate with two sources": (
        ENTERPRISES + ACCOUNT.replace('file = "rsa-2048.cer"', 'file = "rsa-2048.cer", der = ""'),
        "either file (a path) or der (base64)",
    ),
    "an unknown service": (ENTERPRISES + MANDATE.replace('"fla"', '"flu"'), "service “flu” is not known"),
    "a quarter that is none": (
        ENTERPRISES + MANDATE.replace("2025Q1", "2025Q5"),
        "mandates[0].start: a quarter is written like 2025Q1; found “2025Q5”",
    ),
    "a mandate that ends before it starts": (
        ENTERPRISES + MANDATE + 'end = "2024Q4"',
        "ends (2024Q4) before it starts (2025Q1)",
    ),
    "a mandate of an unknown employer": (
        ENTERPRISES + MANDATE.replace("1999000150", "1999000447"),
        "the mandator 1999000447 is not an employer",
    ),
    "a mandate to an enterprise that is no mandatary": (
        ENTERPRISES + MANDATE.replace("1999000249", "1999000150"),
        "the mandatary 1999000150 is not a social secretariat or service provider",
    ),
    "a mandate to oneself": (
        ENTERPRISES + MANDATE.replace("1999000150", "1999000249"),
        "an enterprise cannot be its own mandatary",
    ),
    "two mandataries for the FLA in one quarter": (
        ENTERPRISES + MANDATE + RIVAL,
        "1999000150 has two mandataries for fla in the same quarter, 1999000249 (from 2025Q1) and 1999000348",
    ),
    "a mandate that is ended and has no end": (
        ENTERPRISES + MANDATE + 'status = "ended"',
        "a mandate that is ended has an end quarter",
    ),
    "an unknown status": (
        ENTERPRISES + MANDATE + 'status = "on"',
        "mandates[0].status: should be proposed, confirmed, active, ended, rejected or revoked; found “on”",
    ),
    "an employment with an unknown employer": (
        ENTERPRISES + '[[employments]]\nenterprise = "1999000348"\nssin = "65111899997"',
        "employments[0]: enterprise 1999000348 is not an employer",
    ),
    "an SSIN with a wrong check digit": (
        ENTERPRISES + '[[employments]]\nenterprise = "1999000150"\nssin = "65111899998"',
        "employments[0].ssin: the check digits (the last two) of this SSIN are wrong",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_file_is_refused_in_words(tmp_path: Path, name: str) -> None:
    """The message says which entry, what was expected and what came, after the path of the file."""
    text, message = FAULTS[name]

    with pytest.raises(WorldFileError) as refused:
        load(tmp_path, text)

    assert message in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path / "world.toml"))


def test_all_faults_of_a_file_are_told(tmp_path: Path) -> None:
    """A person who mends a file sees everything that is wrong with it."""
    text = ENTERPRISES + ACCOUNT.replace('["fla"]', '["flu"]') + MANDATE + RIVAL

    with pytest.raises(WorldFileError) as refused:
        load(tmp_path, text)

    assert len(str(refused.value).splitlines()) == 2


NO_RIVALS = {
    "one after the other": MANDATE + 'end = "2025Q2"' + RIVAL.replace("2025Q1", "2025Q3"),
    "the other way round": RIVAL.replace("2025Q1", "2025Q3") + MANDATE + 'end = "2025Q2"',
    "for different services": MANDATE + RIVAL.replace('"fla"', '"dimona"'),
    "for a service that allows several": MANDATE.replace('"fla"', '"dimona"') + RIVAL.replace('"fla"', '"dimona"'),
    "one of them only proposed": MANDATE + RIVAL + 'status = "proposed"',
}


@pytest.mark.parametrize("name", NO_RIVALS)
def test_mandates_that_do_not_meet_are_fine(tmp_path: Path, name: str) -> None:
    """An employer has at most one FLA mandatary at any time, and may change it."""
    assert len(load(tmp_path, ENTERPRISES + NO_RIVALS[name]).mandates) == 2


@pytest.mark.parametrize(
    ("quarter", "status"),
    [
        (Quarter(2024, 4), MandateStatus.CONFIRMED),
        (Quarter(2025, 1), MandateStatus.ACTIVE),
        (Quarter(2025, 4), MandateStatus.ACTIVE),
        (Quarter(2026, 1), MandateStatus.ENDED),
    ],
)
def test_the_status_of_a_mandate_follows_its_quarters(tmp_path: Path, quarter: Quarter, status: MandateStatus) -> None:
    """Nobody touches a mandate for it to begin or to end."""
    (mandate,) = load(tmp_path, ENTERPRISES + MANDATE + 'end = "2025Q4"').mandates

    assert status is mandate.status_in(quarter)


NOT_READ = {
    "a file that is not there": ("none.toml", "No such file or directory"),
    "a folder": (".", "Is a directory"),
    "a device": ("/dev/zero", "it is not a file, but a device, a pipe or a socket"),
    "a name that no file has": ("a\0b", "no file can have such a name"),
}


@pytest.mark.parametrize("name", NOT_READ)
def test_a_path_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    """The message says why, and what could be given instead."""
    path, reason = NOT_READ[name]
    expected = f"cannot be read: {reason}. Give the path of a TOML or JSON file, or demo, or empty."

    with pytest.raises(WorldFileError, match=re.escape(expected)):
        open_world(tmp_path / path).state(services())


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    """A binary file is refused as such."""
    path = tmp_path / "world.toml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(WorldFileError, match="not UTF-8"):
        open_world(path).state(services())


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """Some editors put one before their text."""
    path = write_world(tmp_path, "\ufeff" + ENTERPRISES)

    assert len(open_world(path).state(services()).enterprises) == 3


@contextlib.contextmanager
def pipe(folder: Path, data: bytes) -> Iterator[Path]:
    """Give a pipe that somebody writes to, as far as it is read."""

    def write() -> None:
        with contextlib.suppress(BrokenPipeError):
            path.write_bytes(data)

    path = folder / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield path
    finally:
        writer.join()


@pytest.mark.parametrize("text", [ENTERPRISES, ' {"enterprises": []}'])
def test_a_pipe_is_read_like_a_file(tmp_path: Path, text: str) -> None:
    """What another program writes can be a world, in either notation."""
    with pipe(tmp_path, text.encode()) as path:
        assert len(open_world(path).state(services()).enterprises) == text.count("[[")


def test_no_more_than_the_limit_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may be as large as the limit; whoever writes more into a pipe is not waited for."""
    monkeypatch.setattr(file, "MAX_BYTES", len(ENTERPRISES))
    assert load(tmp_path, ENTERPRISES).enterprises

    with pipe(tmp_path, b"#" * 10_000_000) as path, pytest.raises(WorldFileError, match="larger than"):
        open_world(path).state(services())


# The documentation ----------------------------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs" / "world-file.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^##+ `(\S+)`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
MODELS: dict[str, type[Entry]] = {f"{name}[]": model for name, model in LISTS.items()} | dict(TABLES)
MODELS |= {
    f"{name}[].{inner}{'[]' if inner == 'certificates' else '.*'}": nested
    for name, model in LISTS.items()
    for inner, nested in model.nested.items()
}
# Both answers have the same members, and one section.
MODELS |= {
    f"{name}.{'*_answer' if inner.endswith('_answer') else inner}": nested
    for name, model in TABLES.items()
    for inner, nested in model.nested.items()
}


def test_the_page_tells_of_every_kind_of_entry() -> None:
    """Each has a section, and no section is about anything else."""
    assert SECTIONS.keys() == MODELS.keys()


@pytest.mark.parametrize("name", MODELS)
def test_the_page_tells_of_every_member(name: str) -> None:
    """The table of a section has a line for each member of the entry, in the order in which errors name them."""
    assert re.findall(r"^\| `(\w+)` \|", SECTIONS[name], re.MULTILINE) == list(MODELS[name].model_fields)


def test_the_examples_of_the_page_are_one_world(tmp_path: Path) -> None:
    """The TOML is read, and written as the JSON, which is read as well."""
    examples = dict(re.findall(r"^```(toml|json)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    (tmp_path / "bakery.cer").write_bytes(certificate())
    state = open_world(write_world(tmp_path, examples["toml"])).state(services(), validate_fault=parse)
    written = examples["json"].replace("MIIB…", base64.b64encode(certificate()).decode()).encode()

    assert export_state(state) == written
    assert export_state(import_state(written, services(), validate_fault=parse)) == written
