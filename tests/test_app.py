"""What a start makes of its settings, and of what an earlier start left in its store."""

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
