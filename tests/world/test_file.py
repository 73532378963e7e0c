"""The world file: what it may hold, and how each fault is told."""

from pathlib import Path

import pytest

from mock_server.identifiers import Capacity, Quarter
from mock_server.services.catalogue import services
from mock_server.world.file import WorldFileError, load_world
from mock_server.world.model import Employments, MandateStatus, OwnNumber, WorldState
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
RIVAL = MANDATE.replace("1999000249", "1999000348")


def load(folder: Path, text: str) -> WorldState:
    """Load a world from TOML text."""
    return load_world(write_world(folder, text), services())


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


def test_an_empty_file_is_an_empty_world(tmp_path: Path) -> None:
    """Nothing is mandatory, and employees are not asked about."""
    assert WorldState() == load(tmp_path, "")


def test_a_certificate_may_stand_in_the_file_itself(tmp_path: Path) -> None:
    """`der` is the certificate in base64, so that a world is one file."""
    import base64  # noqa: PLC0415 - for this test only

    der = base64.b64encode(certificate()).decode()
    state = load(tmp_path, ENTERPRISES + ACCOUNT.replace('file = "rsa-2048.cer"', f'name = "one", der = "{der}"'))

    assert [("one", certificate())] == [(entry.name, entry.der) for entry in state.accounts[0].certificates]


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


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The message says what could be given instead."""
    with pytest.raises(WorldFileError, match="Give the path of a TOML or JSON file, or demo, or empty"):
        load_world(tmp_path / "none.toml", services())


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    """A binary file is refused as such."""
    path = tmp_path / "world.toml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(WorldFileError, match="not UTF-8"):
        load_world(path, services())
