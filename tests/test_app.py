"""What a start makes of its settings, and of what an earlier start left in its store."""

import json
from pathlib import Path

import pytest

from mock_server.app import StartError, create_mock
from mock_server.certificates.making import make_key
from mock_server.clock import FixedClock
from mock_server.identifiers import ClientId
from mock_server.settings import Settings
from tests.support import DAY, NOW, certificate, start

DEMO = ClientId("self_service_chaman_123456_78912")


def settings(folder: Path, **more: object) -> Settings:
    """Return settings with a store in a file."""
    return Settings.model_validate({"keys": folder / "keys", "store": f"sqlite:///{folder / 'store.db'}"} | more)


def own_account(folder: Path) -> str:
    """Return an account of one's own, as the command line says it."""
    (folder / "my.cer").write_bytes(certificate())
    return f"client_id=mine,capacity=employer,enterprise=1999010048,cert={folder / 'my.cer'}"


def test_what_was_left_in_a_store_is_found_again(tmp_path: Path) -> None:
    """The world, and the key that signs access tokens."""
    first = start(settings(tmp_path, world="empty"))
    with first.mock.world.changing():
        first.mock.world.add_fault({"do": {"status": 503}})
    first.mock.close()

    second = create_mock(settings(tmp_path, world="empty"), clock=FixedClock(NOW))
    assert (second.was_made, len(second.world.read_faults())) == (False, 1)
    third = create_mock(settings(tmp_path, world="empty"), clock=FixedClock(NOW))
    assert second.tokens.key_set() == third.tokens.key_set()
    second.close()
    third.close()


def test_an_account_of_ones_own_is_added_to_what_was_left(tmp_path: Path) -> None:
    """Once: with the same settings nothing changes any more."""
    create_mock(settings(tmp_path, world="empty"), clock=FixedClock(NOW)).close()

    for _ in range(2):
        mock = create_mock(settings(tmp_path, world="empty", account=[own_account(tmp_path)]), clock=FixedClock(NOW))
        assert [account.client_id for account in mock.world.accounts()] == ["mine"]
        mock.close()


def test_new_keys_of_the_demo_world_are_registered_beside_the_old(tmp_path: Path) -> None:
    """Its folder of keys was removed, or the keys were made anew since they ended: demo.json has to be true."""
    first = create_mock(settings(tmp_path), clock=FixedClock(NOW))
    before = first.world.account(DEMO)
    first.close()

    later = create_mock(settings(tmp_path), clock=FixedClock(NOW + 730 * DAY))
    after = later.world.account(DEMO)
    later.close()

    assert before is not None
    assert after is not None
    assert after.certificates[0] == before.certificates[0]
    assert len(after.certificates) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[documents]]\napi = "x"\npath = "y"\nbody = {}', "no API is named “x”"),
        ("[[faults]]\ndo = { status = 200 }", "faults[0]"),
    ],
)
def test_a_world_file_is_held_to_contracts_and_faults(tmp_path: Path, text: str, words: str) -> None:
    """What nothing could have stored, and what cannot be done, is told at the start."""
    (tmp_path / "world.toml").write_text(text, encoding="utf-8")

    with pytest.raises(StartError) as told:
        create_mock(Settings(world=str(tmp_path / "world.toml"), keys=tmp_path / "keys"), clock=FixedClock(NOW))

    assert words in str(told.value)


def test_a_signing_key_of_another_kind_is_told(tmp_path: Path) -> None:
    """Somebody wrote into the store: the server does not start with a key that it cannot sign with."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - used here alone
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    from mock_server.world.store import Store  # noqa: PLC0415 - as above

    pem = make_key("ec-p384").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.database.meta_or("signing_key", pem)
    store.close()

    with pytest.raises(StartError, match="not an RSA key"):
        create_mock(settings(tmp_path, world="empty"), clock=FixedClock(NOW))


CARE = {
    "openapi": "3.0.3",
    "info": {"title": "Care"},
    "paths": {
        "/employers/{employerId}": {
            "get": {
                "parameters": [{"name": "employerId", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "Done."}},
            }
        }
    },
}


def refused(folder: Path, text: str, name: str = "world.toml", **more: object) -> str:
    """Return why a server does not start with a world file."""
    (folder / "care.json").write_text(json.dumps(CARE), encoding="utf-8")
    (folder / name).write_text(text, encoding="utf-8")
    given = {"world": str(folder / name), "keys": folder / "keys"} | more
    with pytest.raises(StartError) as told:
        create_mock(Settings.model_validate(given), clock=FixedClock(NOW))
    return str(told.value)


# A world file's services, and the sentences that tell what is wrong with them.
FAULTS: dict[str, tuple[str, list[str]]] = {
    "no table": ("services = 1", ["services: should be a table of at most 50 services, each by its name; found 1"]),
    "no contract": ("[services.care]", ["services.care.contract: is missing"]),
    "no name": (
        '[services."My Care"]\ncontract = "care.json"',
        ["services.“My Care”: a service is called by a small letter, then small letters, digits and hyphens"],
    ),
    "members": (
        """
[services.care]
contract = 1
base_path = "REST"
one_mandatary = "no"
unknown_query = "perhaps"
colour = 1
""",
        [
            "services.care.contract: should be text, in quotes; found 1",
            "services.care.base_path: should be a path like /REST/name/v1",
            "services.care.one_mandatary: should be true or false; found “no”",
            "services.care.unknown_query: should be refuse or ignore; found “perhaps”",
            "services.care.colour: is not known here; known are contract, base_path",
        ],
    ),
    "scopes of nobody": (
        '[services.care]\ncontract = "care.json"\nscopes = { boss = ["x"] }',
        ["services.care.scopes: gives scopes by capacity, which is one of employer, social-secretariat"],
    ),
    "scopes with blanks": (
        '[services.care]\ncontract = "care.json"\nscopes = ["x y"]',
        ["services.care.scopes: should have scopes in it, each text of printable ASCII without blanks"],
    ),
    "no scopes": (
        '[services.care]\ncontract = "care.json"\nscopes = { employer = [] }',
        ["services.care.scopes: should be a list of 1 to 50 scopes"],
    ),
    "scopes that are text": (
        '[services.care]\ncontract = "care.json"\nscopes = "x"',
        ["services.care.scopes: should be a list of scopes for all capacities, or a list for each capacity"],
    ),
    "a word that is none": (
        '[services.care]\ncontract = "care.json"\nparameters = { employerId = "number" }',
        ["services.care.parameters: says of each parameter, by its name, what it holds: one of enterpriseNumber"],
    ),
    "no parameters": (
        '[services.care]\ncontract = "care.json"\nparameters = "employerId"',
        ["services.care.parameters: should be a table; found “employerId”"],
    ),
    "a parameter that is not there": (
        '[services.care]\ncontract = "care.json"\nparameters = { boss = "ssin" }',
        ["services.care of the world file: parameters: no operation has a parameter “boss”; there are “employerId”"],
    ),
    "no file": ('[services.care]\ncontract = "nowhere.json"', ["nowhere.json: cannot be read"]),
    "a service that is there": (
        '[services.fla]\ncontract = "care.json"',
        ["services.fla of the world file: fla is one of the mock's own"],
    ),
    "more than the services": (
        '[services.care]\n[settings]\nemployments = "shut"\n[[mandates]]\nmandator = "1"',
        ["services.care.contract: is missing", "settings.employments: should be", "mandates[0].mandatary: is missing"],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_service_of_a_world_file_that_cannot_be_is_told(tmp_path: Path, name: str) -> None:
    """Every fault with its place, beside those of the rest of the file."""
    text, words = FAULTS[name]

    told = refused(tmp_path, text)

    assert [word for word in words if word not in told] == []


def test_services_of_a_json_file_are_told_in_its_words(tmp_path: Path) -> None:
    """What TOML calls a table, JSON calls an object."""
    told = refused(tmp_path, '{"services": {"care": []}}', "world.json")

    assert told == f"{tmp_path / 'world.json'}: services.care: should be an object; found []"


def test_a_service_is_given_once(tmp_path: Path) -> None:
    """By the world file or by an option; the message says how the option replaces the contract alone."""
    text = '[services.care]\ncontract = "care.json"'

    told = refused(tmp_path, text, service=(f"care={tmp_path / 'care.json'}",))

    assert "services.care of the world file: care was given before, by --service care=" in told
    assert "--contract care=FILE" in told


def test_permissions_and_mandates_may_name_a_service_of_the_file(tmp_path: Path) -> None:
    """And one that nobody gave is told as unknown."""
    text = f"""
[services.care]
contract = "care.json"
scopes = ["care:own"]
[[enterprises]]
number = "1999010048"
name = "One"
capacities = ["employer"]
[[accounts]]
name = "a"
client_id = "a"
enterprise = "1999010048"
capacity = "employer"
permissions = ["care"]
certificates = [{{ file = "{_certificate(tmp_path)}" }}]
"""
    (tmp_path / "care.json").write_text(json.dumps(CARE), encoding="utf-8")
    (tmp_path / "world.toml").write_text(text, encoding="utf-8")

    mock = create_mock(Settings(world=str(tmp_path / "world.toml"), keys=tmp_path / "keys"), clock=FixedClock(NOW))
    urls, accounts = mock.urls, mock.world.accounts()
    mock.close()

    assert urls.apis["care"] == "http://127.0.0.1:8425/REST/care/v1"
    assert [account.permissions for account in accounts] == [("care",)]
    assert "names no service; known are fla, dimona, care" in refused(tmp_path, text.replace('["care"]', '["cure"]'))


def _certificate(folder: Path) -> str:
    (folder / "my.cer").write_bytes(certificate())
    return "my.cer"


def test_the_permission_of_a_later_service_is_ticked_on_what_was_left(tmp_path: Path) -> None:
    """A store that was made before the service was added has the demo world's accounts as they would be made now."""
    (tmp_path / "care.json").write_text(json.dumps(CARE), encoding="utf-8")
    create_mock(settings(tmp_path), clock=FixedClock(NOW)).close()

    mock = create_mock(settings(tmp_path, service=[f"care={tmp_path / 'care.json'}"]), clock=FixedClock(NOW))
    account = mock.world.account(DEMO)
    mock.close()

    assert account is not None
    assert account.permissions == ("fla", "care")


def test_a_parameter_may_have_a_colon_in_its_name(tmp_path: Path) -> None:
    """What stands before one is an API only where an API is called so."""
    assert "no contract that was given has a parameter" in refused(tmp_path, "", parameter=["Filter:boss=ssin"])
    assert "no API is called “filter”" in refused(tmp_path, "", parameter=["filter:boss=ssin"])
