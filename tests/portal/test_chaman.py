"""ChaMan: accounts, permissions and certificates (guide, steps 4a and 4b)."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from mock_server.clock import FixedClock
from mock_server.identifiers import Capacity, ClientId
from mock_server.oauth.grant import granted_scopes
from mock_server.portal import access_management, chaman
from mock_server.portal.chaman import CERTIFICATES_MAX, ClientIdForm, NewAccount
from mock_server.portal.errors import ConflictError, NotFoundError, PortalError, RefusedError
from mock_server.portal.uploads import CERTIFICATE_MAX, Upload
from mock_server.services.catalogue import DIMONA, FLA, services
from mock_server.world.model import ALWAYS, Account, Period
from mock_server.world.world import World
from tests.portal.conftest import EMPLOYER, NOBODY, SECRETARIAT
from tests.support import DAY, NOW, b64, certificate, key

SERVICES = services()
FIRST = Upload("first", certificate())
SECOND = Upload("second", certificate(number=1))
Delay = Callable[[float], None]


def make(
    world: World, *certificates: Upload, permissions: tuple[str, ...] = (FLA,), client_id: str | None = "mine"
) -> Account:
    """Make an account of the employer."""
    new = NewAccount("Training data", permissions, certificates, client_id)
    return chaman.create_account(world, SERVICES, EMPLOYER, Capacity.EMPLOYER, new)


def in_effect(world: World) -> tuple[list[str], list[str]]:
    """Return the permissions and the names of the certificates that have effect now."""
    account = world.active_account(ClientId("mine"))
    if account is None:
        return [], []
    return list(account.permissions), [entry.name for entry in account.certificates]


def pem(data: bytes) -> bytes:
    """Write a certificate as PEM."""
    return x509.load_der_x509_certificate(data).public_bytes(Encoding.PEM)


def private_key_pem() -> bytes:
    """Write a private key as PEM."""
    return key(number=3).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


# Step 4a: a new account


def test_an_account_is_made_with_permission_and_certificate(world: World) -> None:
    """Step 4a: name, permission, certificate with its name; the client id comes back, and all has effect at once."""
    account = make(world, FIRST, client_id=None)

    assert re.fullmatch(r"self_service_chaman_[0-9]{6}_[a-z0-9]{10}", account.client_id)
    assert account == world.account(account.client_id) == chaman.find_account(world, account.client_id)
    assert (account.name, account.enterprise, account.capacity) == ("Training data", EMPLOYER, Capacity.EMPLOYER)
    assert granted_scopes(account, SERVICES) == SERVICES[FLA].scopes[Capacity.EMPLOYER]
    assert [(entry.name, entry.der, entry.period) for entry in account.certificates] == [("first", FIRST.data, ALWAYS)]
    assert account.period == ALWAYS


def test_the_other_form_of_client_id_has_a_sender_number(world: World) -> None:
    """The guide prints two forms."""
    new = NewAccount("account", client_id_form=ClientIdForm.EXPEDITOR)

    account = chaman.create_account(world, SERVICES, EMPLOYER, Capacity.EMPLOYER, new)

    assert re.fullmatch(r"self_service_expeditor_[0-9]{6}", account.client_id)


def test_client_ids_that_are_made_up_differ(world: World) -> None:
    """No two accounts have the same."""
    assert len({make(world, client_id=None).client_id for _ in range(20)}) == 20


def test_one_account_serves_several_flows(world: World) -> None:
    """One account and certificate for all flows (guide, 2.1): a permission for each, each once."""
    account = make(world, permissions=(FLA, DIMONA, FLA))

    assert account.permissions == (FLA, DIMONA)


def test_each_capacity_has_an_account_of_its_own_with_the_same_certificate(world: World) -> None:
    """At least one account for each capacity (guide, 4.4); the certificate may be the same."""
    for capacity in (Capacity.SOCIAL_SECRETARIAT, Capacity.SERVICE_PROVIDER):
        new = NewAccount("account", (FLA,), (FIRST,), capacity.value)
        chaman.create_account(world, SERVICES, SECRETARIAT, capacity, new)

    found = chaman.list_accounts(world, SECRETARIAT, Capacity.SERVICE_PROVIDER)

    assert [account.client_id for account in found.items] == ["service-provider"]
    assert found.total == 1
    assert chaman.list_accounts(world, SECRETARIAT).total == 2


def test_an_account_needs_an_enterprise(world: World) -> None:
    """An unknown number has no ChaMan."""
    with pytest.raises(NotFoundError, match=f"no enterprise {NOBODY}"):
        chaman.create_account(world, SERVICES, NOBODY, Capacity.EMPLOYER, NewAccount("account"))


def test_a_client_id_is_used_once_in_a_world(world: World) -> None:
    """The second account is refused, whichever enterprise it is of."""
    make(world)
    new = NewAccount("another", client_id="mine")

    with pytest.raises(ConflictError, match="client id “mine” is taken"):
        chaman.create_account(world, SERVICES, SECRETARIAT, Capacity.SERVICE_PROVIDER, new)


@pytest.mark.parametrize(
    ("new", "member"),
    [
        (NewAccount(""), "name"),
        (NewAccount("a\x00b"), "name"),
        (NewAccount("a" * 201), "name"),
        (NewAccount("a", ("fla", "payroll")), "permissions[1]"),
        (NewAccount("a", client_id="with space"), "client_id"),
        (NewAccount("a", client_id="mine", client_id_form=ClientIdForm.CHAMAN), "client_id_form"),
        (NewAccount("a", certificates=(FIRST, Upload("a\nb", SECOND.data))), "certificates[1].name"),
        (NewAccount("a", certificates=(FIRST, Upload("b", b"nothing"))), "certificates[1]"),
        (NewAccount("a", certificates=(FIRST,) * 51), "certificates"),
    ],
)
def test_a_form_that_is_not_filled_in_well_is_refused(world: World, new: NewAccount, member: str) -> None:
    """The issue names the member, and no account is made."""
    with pytest.raises(RefusedError) as refused:
        chaman.create_account(world, SERVICES, EMPLOYER, Capacity.EMPLOYER, new)

    assert [issue.name for issue in refused.value.issues] == [member]
    assert chaman.list_accounts(world).total == 0


def test_an_unknown_permission_is_told_with_those_that_are_known(world: World) -> None:
    """What can be ticked is in the sentence."""
    with pytest.raises(RefusedError, match="expected one of fla, dimona; found “payroll”"):
        make(world, permissions=("payroll",))


def test_the_same_certificate_twice_on_a_new_account_is_refused(world: World) -> None:
    """In whatever form it comes."""
    with pytest.raises(ConflictError, match=r"has this certificate already, named “first” \(SHA-256 [0-9a-f]{64}\)"):
        make(world, FIRST, Upload("again", pem(FIRST.data)))


def test_an_account_is_renamed_and_deleted(world: World) -> None:
    """Both at once; its client id is free then."""
    make(world, FIRST)

    assert chaman.rename_account(world, "mine", "Another name").name == "Another name"
    assert chaman.find_account(world, "mine").name == "Another name"
    chaman.delete_account(world, "mine")

    with pytest.raises(NotFoundError, match="There is no account with client id “mine”"):
        chaman.find_account(world, "mine")
    make(world)


def test_accounts_are_listed_in_pages(world: World) -> None:
    """By client id; the total is of the whole list."""
    for client_id in ("c", "a", "b"):
        make(world, client_id=client_id)

    first = chaman.list_accounts(world, limit=2)
    second = chaman.list_accounts(world, after="b", limit=2)

    assert [[account.client_id for account in page.items] for page in (first, second)] == [["a", "b"], ["c"]]
    assert (first.total, second.total) == (3, 3)


# Step 4b: an account that is there


def test_a_permission_is_ticked_on_an_account_that_is_there(world: World) -> None:
    """Step 4b: no new certificate is needed."""
    make(world, FIRST, permissions=(DIMONA,))

    account = chaman.tick(world, SERVICES, "mine", FLA)

    assert account == world.account(ClientId("mine"))
    assert in_effect(world) == ([DIMONA, FLA], ["first"])


def test_ticking_twice_and_unticking(world: World) -> None:
    """A permission is there once, and goes when it is unticked."""
    make(world)
    chaman.tick(world, SERVICES, "mine", FLA)
    chaman.tick(world, SERVICES, "mine", DIMONA)

    chaman.untick(world, "mine", FLA)

    assert in_effect(world) == ([DIMONA], [])
    with pytest.raises(NotFoundError, match="no permission “fla” on the account “mine”"):
        chaman.untick(world, "mine", FLA)


def test_only_known_services_can_be_ticked(world: World) -> None:
    """The refusal names those that are known."""
    make(world)

    with pytest.raises(RefusedError, match="service: expected one of fla, dimona; found “payroll”"):
        chaman.tick(world, SERVICES, "mine", "payroll")


# Certificates


def test_a_certificate_is_replaced_without_a_gap(world: World) -> None:
    """The new one is added, used, and then the old one removed."""
    make(world, FIRST)
    chaman.add_certificate(world, "mine", SECOND)
    assert in_effect(world) == ([FLA], ["first", "second"])

    old = world.account(ClientId("mine")).certificates[0]  # type: ignore[union-attr] # it is there
    chaman.remove_certificate(world, "mine", old.fingerprint)

    assert in_effect(world) == ([FLA], ["second"])


def test_the_last_certificate_may_be_removed(world: World) -> None:
    """What then signs nothing can be given another."""
    (entry,) = make(world, FIRST).certificates

    chaman.remove_certificate(world, "mine", ":".join(re.findall("..", entry.fingerprint.upper())))

    assert in_effect(world) == ([FLA], [])


def test_a_certificate_is_renamed(world: World) -> None:
    """At once; it is told by its fingerprint."""
    (entry,) = make(world, FIRST).certificates

    assert chaman.rename_certificate(world, "mine", entry.fingerprint, "Another").name == "Another"
    assert in_effect(world) == ([FLA], ["Another"])
    with pytest.raises(RefusedError, match="name"):
        chaman.rename_certificate(world, "mine", entry.fingerprint, "\n")


def test_a_certificate_that_the_account_does_not_have_is_not_found(world: World) -> None:
    """Neither to be removed nor to be renamed."""
    make(world, FIRST)

    with pytest.raises(NotFoundError, match="fingerprint “abc” on the account “mine”"):
        chaman.remove_certificate(world, "mine", "abc")
    with pytest.raises(NotFoundError):
        chaman.rename_certificate(world, "mine", "abc", "name")


def test_the_same_certificate_twice_on_an_account_is_refused(world: World) -> None:
    """The refusal says under which name it is there."""
    make(world, FIRST)

    with pytest.raises(ConflictError, match="The account “mine” has this certificate already, named “first”"):
        chaman.add_certificate(world, "mine", Upload("again", FIRST.data))


def test_an_account_has_so_many_certificates_at_most(world: World) -> None:
    """One more than the limit is refused until one is removed."""
    uploads = [Upload(f"number {days}", certificate(days=days)) for days in range(1, CERTIFICATES_MAX + 2)]
    account = make(world, *uploads[1:])

    with pytest.raises(ConflictError, match=f"at most {CERTIFICATES_MAX} certificates"):
        chaman.add_certificate(world, "mine", uploads[0])

    chaman.remove_certificate(world, "mine", account.certificates[0].fingerprint)
    chaman.add_certificate(world, "mine", uploads[0])


def test_a_pem_file_is_kept_as_its_certificate(world: World) -> None:
    """Whatever else is in the file is not kept."""
    make(world)

    entry = chaman.add_certificate(world, "mine", Upload("pem", b"Bag Attributes\n" + pem(FIRST.data)))

    assert entry.der == FIRST.data


@pytest.mark.parametrize(
    ("start", "found"),
    [
        (NOW - 30 * DAY, "one that ended 86400 s ago"),
        (NOW + DAY, "one that begins in 86400 s"),
    ],
)
def test_a_certificate_that_is_not_valid_now_is_refused_at_upload(world: World, start: float, found: str) -> None:
    """Unlike in a world file: who uploads it can be told at once."""
    make(world)

    with pytest.raises(RefusedError, match=r"The certificate is refused: .* Nothing was stored") as refused:
        chaman.add_certificate(world, "mine", Upload("dated", certificate(start=start, days=29)))

    (issue,) = refused.value.issues
    assert issue.name == "certificate"
    assert issue.detail.startswith(f"CERT-DATES-1: expected a certificate that is valid now, found {found}: from 20")


def test_the_dates_are_judged_at_the_clock_of_the_world(world: World, clock: FixedClock) -> None:
    """What is refused today may be accepted tomorrow."""
    make(world)
    upload = Upload("from tomorrow", certificate(start=NOW + DAY, days=29))

    clock.advance(DAY)

    assert chaman.add_certificate(world, "mine", upload).name == "from tomorrow"


def test_every_rule_that_a_certificate_breaks_is_an_issue(world: World) -> None:
    """A key on another curve, and no key usage: two of ChaMan's rules."""
    weak = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    made = x509.load_der_x509_certificate(FIRST.data)
    data = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(weak.public_key())
        .serial_number(1)
        .not_valid_before(made.not_valid_before_utc)
        .not_valid_after(made.not_valid_after_utc)
        .sign(weak, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    make(world)

    with pytest.raises(RefusedError) as refused:
        chaman.add_certificate(world, "mine", Upload("weak", data))

    assert [issue.detail.partition(":")[0] for issue in refused.value.issues] == ["CERT-KEY-1", "CERT-USAGE-1"]
    assert "found EC P-256." in refused.value.issues[0].detail
    assert in_effect(world) == ([FLA], [])


def pfx() -> bytes:
    """Write a key store with a private key and its certificate."""
    made = x509.load_der_x509_certificate(certificate(number=3))
    return serialize_key_and_certificates(b"1", key(number=3), made, None, BestAvailableEncryption(b"changeit"))


def encrypted_key() -> bytes:
    """Write a private key, encrypted."""
    return key(number=3).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"changeit"))


def der_key() -> bytes:
    """Write a private key as DER."""
    return key(number=3).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "data",
    [
        private_key_pem,
        encrypted_key,
        der_key,
        pfx,
        lambda: b"".join(private_key_pem().splitlines()[1:-1]),
        lambda: pem(certificate(number=3)) + private_key_pem(),
        lambda: b"\xfe\xed\xfe\xed" + der_key(),
    ],
    ids=["pem", "encrypted", "der", "pfx", "bare base64", "with its certificate", "java key store"],
)
def test_a_private_key_is_refused_with_a_warning_and_not_kept(world: World, data: Callable[[], bytes]) -> None:
    """The warning says that it must never be uploaded, and nothing of it is told or stored."""
    make(world)

    with pytest.raises(RefusedError, match="A private key must never be uploaded") as refused:
        chaman.add_certificate(world, "mine", Upload("key", data()))

    told = refused.value.sentence + "".join(issue.detail for issue in refused.value.issues)
    secret = b"".join(private_key_pem().splitlines()[1:-1]).decode()
    assert all(secret[at : at + 12] not in told for at in range(0, len(secret), 12))
    assert in_effect(world) == ([FLA], [])


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "an empty file"),
        (b"hello", "text that is neither"),
        (b"QUJD" * 20 + b"Q", "base64 without its BEGIN and END lines"),
        (b"hello there, how are you" * 4_000, "found 96000"),
        (FIRST.data[:-1], "cut off"),
        ((Path(__file__)).read_bytes(), "text that is neither"),
    ],
)
def test_what_is_no_certificate_is_told_by_what_it_is(world: World, data: bytes, found: str) -> None:
    """The issue says what was expected and what came."""
    make(world)

    with pytest.raises(RefusedError) as refused:
        chaman.add_certificate(world, "mine", Upload("file", data))

    (issue,) = refused.value.issues
    assert found in issue.detail
    assert "expected a" in issue.detail


def test_a_file_as_large_as_the_limit_is_read(world: World) -> None:
    """The limit is of the file, not of the certificate in it."""
    make(world)
    text = pem(FIRST.data)

    chaman.add_certificate(world, "mine", Upload("padded", b"\n" * (CERTIFICATE_MAX - len(text)) + text))


# With an activation delay


def test_a_new_account_has_effect_after_the_delay(world: World, clock: FixedClock, delay: Delay) -> None:
    """It is shown at once, with the moment from which it has effect."""
    delay(600)
    account = make(world, FIRST)
    assert account.period == Period(since=NOW + 600)
    assert in_effect(world) == ([], [])

    clock.advance(599)
    assert in_effect(world) == ([], [])
    clock.advance(1)
    assert in_effect(world) == ([FLA], ["first"])


def test_what_is_added_has_effect_after_the_delay(world: World, clock: FixedClock, delay: Delay) -> None:
    """A permission and a certificate, while those that are there go on."""
    make(world, FIRST)
    delay(600)
    chaman.tick(world, SERVICES, "mine", DIMONA)
    assert chaman.add_certificate(world, "mine", SECOND).period == Period(since=NOW + 600)
    assert in_effect(world) == ([FLA], ["first"])

    clock.advance(600)
    assert in_effect(world) == ([FLA, DIMONA], ["first", "second"])


def test_what_is_removed_has_effect_until_the_delay_is_over(world: World, clock: FixedClock, delay: Delay) -> None:
    """A permission and a certificate; both are shown with the moment until which they have effect, then not at all."""
    account = make(world, FIRST, SECOND, permissions=(FLA, DIMONA))
    delay(600)
    chaman.untick(world, "mine", FLA)
    chaman.remove_certificate(world, "mine", account.certificates[0].fingerprint)

    account = chaman.find_account(world, "mine")
    assert account.permission_periods == {FLA: Period(until=NOW + 600)}
    assert [entry.period for entry in account.certificates] == [Period(until=NOW + 600), ALWAYS]
    assert in_effect(world) == ([FLA, DIMONA], ["first", "second"])

    clock.advance(600)
    assert in_effect(world) == ([DIMONA], ["second"])
    account = chaman.find_account(world, "mine")
    assert (account.permissions, account.permission_periods) == ((DIMONA,), {})
    assert [entry.name for entry in account.certificates] == ["second"]


def test_a_certificate_is_replaced_without_a_gap_with_a_delay(world: World, clock: FixedClock, delay: Delay) -> None:
    """Added and removed in one go, the old one goes at the moment that the new one comes."""
    account = make(world, FIRST)
    delay(600)
    chaman.add_certificate(world, "mine", SECOND)
    chaman.remove_certificate(world, "mine", account.certificates[0].fingerprint)

    assert in_effect(world) == ([FLA], ["first"])
    clock.advance(599)
    assert in_effect(world) == ([FLA], ["first"])
    clock.advance(1)
    assert in_effect(world) == ([FLA], ["second"])


def test_a_deleted_account_has_effect_until_the_delay_is_over(world: World, clock: FixedClock, delay: Delay) -> None:
    """Until then its client id is taken; after it, everything of it is gone."""
    make(world, FIRST)
    make(world, client_id="other")
    delay(600)
    chaman.delete_account(world, "mine")
    assert chaman.find_account(world, "mine").period == Period(until=NOW + 600)
    with pytest.raises(ConflictError, match="taken"):
        make(world)

    clock.advance(600)
    assert in_effect(world) == ([], [])
    found = chaman.list_accounts(world, limit=1)
    assert ([account.client_id for account in found.items], found.total) == (["other"], 1)
    assert chaman.list_accounts(world, EMPLOYER, Capacity.EMPLOYER).total == 1
    for act in (
        lambda: chaman.find_account(world, "mine"),
        lambda: chaman.rename_account(world, "mine", "name"),
        lambda: chaman.delete_account(world, "mine"),
        lambda: chaman.tick(world, SERVICES, "mine", FLA),
        lambda: chaman.add_certificate(world, "mine", SECOND),
    ):
        with pytest.raises(NotFoundError):
            act()
    assert make(world).period == Period(since=NOW + 1200)


def test_what_has_no_effect_yet_goes_at_once(world: World, delay: Delay) -> None:
    """A permission, a certificate and an account that were just added."""
    make(world, FIRST)
    delay(600)
    chaman.tick(world, SERVICES, "mine", DIMONA)
    added = chaman.add_certificate(world, "mine", SECOND)
    chaman.untick(world, "mine", DIMONA)
    chaman.remove_certificate(world, "mine", added.fingerprint)
    account = chaman.find_account(world, "mine")
    assert (account.permissions, len(account.certificates)) == ((FLA,), 1)

    make(world, FIRST, client_id="new")
    chaman.untick(world, "new", FLA)
    chaman.remove_certificate(world, "new", account.certificates[0].fingerprint)
    account = chaman.find_account(world, "new")
    assert (account.permissions, account.certificates) == ((), ())
    chaman.delete_account(world, "new")
    with pytest.raises(NotFoundError):
        chaman.find_account(world, "new")


def test_what_was_removed_stays_when_it_is_added_again_in_time(world: World, clock: FixedClock, delay: Delay) -> None:
    """Ticking again, and uploading again under another name, takes the removal back."""
    account = make(world, FIRST)
    delay(600)
    chaman.untick(world, "mine", FLA)
    chaman.remove_certificate(world, "mine", account.certificates[0].fingerprint)
    chaman.tick(world, SERVICES, "mine", FLA)
    chaman.add_certificate(world, "mine", Upload("back", FIRST.data))

    clock.advance(600)
    assert in_effect(world) == ([FLA], ["back"])
    assert chaman.find_account(world, "mine").is_settled


def test_removing_twice_does_not_put_it_off(world: World, clock: FixedClock, delay: Delay) -> None:
    """The first removal says when it goes."""
    make(world, FIRST)
    delay(600)
    chaman.untick(world, "mine", FLA)
    clock.advance(300)
    chaman.untick(world, "mine", FLA)

    assert chaman.find_account(world, "mine").permission_periods == {FLA: Period(until=NOW + 600)}


def test_renaming_is_not_delayed(world: World, delay: Delay) -> None:
    """Names are for people."""
    account = make(world, FIRST)
    delay(600)
    chaman.rename_account(world, "mine", "Another")
    chaman.rename_certificate(world, "mine", account.certificates[0].fingerprint, "Other")

    account = chaman.find_account(world, "mine")
    assert (account.name, account.certificates[0].name, account.is_settled) == ("Another", "Other", True)


def test_a_refusal_changes_nothing(world: World) -> None:
    """Whatever was refused, the state is as before."""
    make(world, FIRST)
    before = world.state()
    for act in (
        lambda: make(world, SECOND),
        lambda: chaman.add_certificate(world, "mine", FIRST),
        lambda: chaman.untick(world, "mine", DIMONA),
        lambda: chaman.remove_certificate(world, "mine", "00"),
        lambda: access_management.deactivate(world, EMPLOYER, Capacity.EMPLOYER),
    ):
        with pytest.raises(PortalError):
            act()

    assert world.state() == before


def test_a_refusal_does_not_echo_what_looks_like_a_secret(world: World) -> None:
    """A key that was pasted in the wrong field is not told."""
    secret = b64(der_key())

    with pytest.raises(RefusedError) as refused:
        make(world, client_id=f"{secret[:150]} x")

    assert secret[10:40] not in refused.value.sentence
