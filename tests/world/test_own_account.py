"""`--account`: one's own certificate and client id work in the first minute."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from mock_server.certificates.making import make_certificate
from mock_server.world.own_account import OwnAccountError
from tests.conftest import Starter
from tests.support import NOW, Caller, key, write_world

BASE = "/REST/careerpro-federal-learning-account/v1"


Begin = Callable[..., Caller]


@pytest.fixture
def begin(tmp_path: Path, started: Starter) -> Begin:
    """Give a function that starts a world with accounts of one's own, whose certificates lie in one folder."""

    def make(*accounts: str, world: str = "empty") -> Caller:
        texts = tuple(account.replace("cert=", f"cert={tmp_path}/") for account in accounts)
        return started(world=world, account=texts)

    write_world(tmp_path, "")
    weak = make_certificate(
        ec.generate_private_key(ec.SECP256R1()), common_name="x", organization="x", not_before=NOW, days=1
    )
    if os.name == "posix":
        (tmp_path / "zero").symlink_to("/dev/zero")
        os.mkfifo(tmp_path / "pipe")
    (tmp_path / "p256.cer").write_bytes(weak.public_bytes(Encoding.DER))
    return make


def read(caller: Caller, client_id: str, employer: str) -> int:
    """Return the status of reading somebody's trainings."""
    headers = {"authorization": f"Bearer {caller.token(client_id)}"}
    where = f"{BASE}/employers/{employer}/employees/65111899997/calendarYears/2025/trainings"
    return caller.call("GET", where, headers=headers).status


def test_an_employer_sends_for_anyone_it_employs(begin: Begin) -> None:
    """The enterprise comes with the account, and nobody has to list its employees."""
    caller = begin("client_id=mine,capacity=employer,enterprise=1999000150,cert=rsa-2048.cer")

    assert read(caller, "mine", "1999000150") == 200


def test_a_mandatary_names_its_mandators(begin: Begin) -> None:
    """`mandator` gives the mandate, from this quarter on."""
    text = "client_id=mine,capacity=service-provider,enterprise=1999000150,cert=rsa-2048.cer,mandator=1999000249"
    caller = begin(text)

    assert [read(caller, "mine", number) for number in ("1999000249", "1999000348")] == [200, 403]


def test_several_accounts_and_certificates_may_be_given(begin: Begin) -> None:
    """An account may have several certificates, an enterprise several accounts and capacities."""
    caller = begin(
        "client_id=a,capacity=employer,enterprise=1999000150,cert=rsa-2048.cer,cert=rsa-second.cer,name=First",
        "client_id=b,capacity=training-provider,enterprise=1999000150,cert=rsa-2048.cer,permission=fla",
    )

    assert caller.token("a", key(number=1))
    assert caller.token("b")


@pytest.mark.parametrize(
    "again", ["permission=fla", "mandator=1999000249", "mandator=0206653946,mandator=206653946", "cert=rsa-2048.cer"]
)
def test_what_is_said_twice_counts_once(begin: Begin, again: str) -> None:
    """A permission, a mandator or a certificate may be named again, also in another way."""
    text = "client_id=mine,capacity=service-provider,enterprise=1999000150,cert=rsa-2048.cer,permission=fla"
    caller = begin(f"{text},mandator=1999000249,{again}")

    assert read(caller, "mine", "1999000249") == 200


def test_one_certificate_in_two_files_counts_once(begin: Begin, tmp_path: Path) -> None:
    """A copy under another name is the same certificate."""
    (tmp_path / "copy.cer").write_bytes((tmp_path / "rsa-2048.cer").read_bytes())
    caller = begin("client_id=mine,capacity=employer,enterprise=1999000150,cert=rsa-2048.cer,cert=copy.cer")

    assert caller.token("mine")


def test_a_file_name_that_is_no_text_is_no_obstacle(begin: Begin, tmp_path: Path) -> None:
    """Other systems name files in other encodings; the account gets what can be told of the name."""
    odd = tmp_path / os.fsdecode(b"\xff.cer")
    try:
        odd.write_bytes((tmp_path / "rsa-2048.cer").read_bytes())
    except OSError:
        pytest.skip("this system has no such file names")
    caller = begin(f"client_id=mine,capacity=employer,enterprise=1999000150,cert={odd.name}")

    assert caller.token("mine")


def test_an_own_account_joins_the_demo_world(begin: Begin) -> None:
    """The demo world's employers list their employees; an enterprise that it did not know employs everybody."""
    caller = begin("client_id=mine,capacity=employer,enterprise=1999099922,cert=rsa-2048.cer", world="demo")

    assert read(caller, "mine", "1999099922") == 200


GOOD = "client_id=mine,capacity=employer,enterprise=1999000150,cert=rsa-2048.cer"

FAULTS = {
    "nothing": ("x", "“x” is not understood"),
    "an unknown member": (f"{GOOD},color=red", "“color=red” is not understood"),
    "a member twice": (f"{GOOD},client_id=other", "“client_id=other” is said twice"),
    "an empty member": (GOOD.replace("client_id=mine", "client_id="), "“client_id=” is not understood"),
    "no client_id": (GOOD.replace("client_id=mine,", ""), "client_id is missing"),
    "no certificate": (GOOD.replace(",cert=rsa-2048.cer", ""), "cert is missing"),
    "an unknown capacity": (GOOD.replace("employer", "boss"), "capacity is one of employer, social-secretariat"),
    "a wrong check digit": (GOOD.replace("150", "151"), "the check digits"),
    "a certificate that is not there": (GOOD.replace("rsa-2048", "none"), "cannot be read: No such file"),
    "a certificate that ChaMan would refuse": (
        GOOD.replace("rsa-2048", "p256"),
        "p256.cer”: this certificate would be refused: CERT-KEY-1: expected RSA",
    ),
    "a certificate that is none": (GOOD.replace("rsa-2048.cer", "world.toml"), "world.toml"),
    "a folder as certificate": (GOOD.replace("rsa-2048.cer", "."), "cannot be read: "),
    "a device as certificate": (GOOD.replace("rsa-2048.cer", "zero"), "cannot be read: it is a device, not a file"),
    "a named pipe as certificate": (GOOD.replace("rsa-2048.cer", "pipe"), "it is a named pipe, not a file"),
    "a name that is no text": (f"{GOOD},name=\udcff", "name: expected text in UTF-8, found “\\udcff”"),
    "an unknown permission": (f"{GOOD},permission=flu", "permission “flu” names no service"),
    "a mandate to oneself": (
        GOOD.replace("=employer", "=service-provider") + ",mandator=1999000150",
        "its own mandatary",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_account_is_refused_in_words(begin: Begin, name: str) -> None:
    """The message says what was expected and what came."""
    text, message = FAULTS[name]
    if "not a file" in message and os.name != "posix":
        pytest.skip("pipes and devices have names on POSIX systems only")

    with pytest.raises(OwnAccountError) as refused:
        begin(text)

    assert message in str(refused.value)


def test_the_home_folder_of_nobody_is_refused_in_words(started: Starter) -> None:
    """A tilde before a name that no user has leads nowhere."""
    account = "client_id=mine,capacity=employer,enterprise=1999000150,cert=~no-such-user/x.cer"

    with pytest.raises(OwnAccountError, match=r"x\.cer” cannot be read"):
        started(world="empty", account=(account,))
