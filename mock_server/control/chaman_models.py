"""The bodies and answers of ChaMan's part of the control API: accounts, permissions, certificates."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

from mock_server.certificates.acceptance import describe_certificate_key, describe_name
from mock_server.certificates.parsing import quiet
from mock_server.control.portal_models import (
    NUMBER_EXAMPLES,
    Body,
    CapacityInQuery,
    Listed,
    Name,
    Number,
    Query,
)
from mock_server.control.records import timestamp
from mock_server.identifiers import CLIENT_ID_MAX, Capacity, ClientId, EnterpriseNumber, ServiceName
from mock_server.oauth.grant import granted_scopes
from mock_server.portal.chaman import CERTIFICATES_MAX, ClientIdForm
from mock_server.portal.texts import NAME_MAX
from mock_server.portal.uploads import CERTIFICATE_MAX
from mock_server.world.model import Account, Period, RegisteredCertificate, Service

_BASE64_MAX = CERTIFICATE_MAX * 3 // 2  # a file in base64 is a third longer, and may have line ends


class AccountsQuery(Query):
    """Which accounts of an enterprise and capacity."""

    after: str = Field("", description="Those after this client id.", pattern="^[!-~]*$", max_length=CLIENT_ID_MAX)


class AllAccountsQuery(AccountsQuery):
    """Which accounts of all."""

    enterprise: Number | None = Field(None, description="Those of this enterprise.")
    capacity: CapacityInQuery | None = Field(None, description="Those in this capacity.")


class CertificateBody(Body):
    """A certificate with the name that it is given."""

    name: Annotated[Name, Field(examples=["From July"])]
    der: str = Field(
        description="The .cer file in base64, or its PEM text. Never a private key.", max_length=_BASE64_MAX
    )


class AccountBody(Body):
    """What step 4a of the guide asks for (G§4.4.1)."""

    name: Annotated[Name, Field(description="Free to choose.", examples=["Training data"])]
    permissions: list[str] = Field([], description="The services that are ticked.", max_length=50)
    client_id: str | None = Field(None, description="One of your own; without it, one is made up.")
    client_id_form: ClientIdForm | None = Field(
        None, description="The form of the one that is made up, of the two that the guide prints; default: chaman."
    )
    certificates: list[CertificateBody] = Field([], max_length=CERTIFICATES_MAX)


class NameBody(Body):
    """Another name."""

    name: Name


class CertificateQuery(Body):
    """How a certificate is called that is sent as the body itself."""

    name: str | None = Field(None, description="Its name; default: certificate.", max_length=NAME_MAX)


class PeriodAnswer(BaseModel):
    """From when, and until when, something has effect; null: always did, for ever."""

    active_from: str | None = Field(description="ISO 8601; null: from the beginning.")
    active_until: str | None = Field(description="ISO 8601; null: for ever.")


class CertificateAnswer(PeriodAnswer):
    """A certificate of an account."""

    fingerprint: str = Field(description="SHA-256 of the DER, in hexadecimal.")
    name: str
    subject: str = Field(examples=["CN=training-data,O=Bakery Peeters,C=BE"])
    issuer: str
    key: str = Field(examples=["RSA 2048", "EC P-384"])
    not_before: str = Field(description="ISO 8601.")
    not_after: str = Field(description="ISO 8601.")

    @classmethod
    def of(cls, entry: RegisteredCertificate) -> Self:
        """Return a certificate as it is answered."""
        with quiet():
            start, end = entry.validity
            return cls(
                fingerprint=entry.fingerprint,
                name=entry.name,
                subject=describe_name(entry.x509.subject),
                issuer=describe_name(entry.x509.issuer),
                key=describe_certificate_key(entry.x509),
                not_before=timestamp(start),
                not_after=timestamp(end),
                **_period(entry.period),
            )


class CertificateList(BaseModel):
    """All certificates of an account."""

    items: list[CertificateAnswer]


class AccountAnswer(PeriodAnswer):
    """A webservice account of type REST."""

    client_id: ClientId = Field(examples=["self_service_chaman_123456_k3v9x0ab1c"])
    name: str
    enterprise: EnterpriseNumber = Field(examples=NUMBER_EXAMPLES)
    capacity: Capacity
    permissions: list[ServiceName] = Field(description="The services that are ticked.")
    permission_periods: dict[ServiceName, PeriodAnswer] = Field(
        description="Of the permissions that do not have effect always."
    )
    scopes: list[str] = Field(description="What a token can be given, once all permissions have effect.")
    certificates: list[CertificateAnswer]

    @classmethod
    def of(cls, account: Account, services: Mapping[ServiceName, Service]) -> Self:
        """Return an account as it is answered."""
        return cls(
            client_id=account.client_id,
            name=account.name,
            enterprise=account.enterprise,
            capacity=account.capacity,
            permissions=list(account.permissions),
            permission_periods={
                name: PeriodAnswer(**_period(period)) for name, period in account.permission_periods.items()
            },
            scopes=list(granted_scopes(account, services)),
            certificates=[CertificateAnswer.of(entry) for entry in account.certificates],
            **_period(account.period),
        )


class AccountList(Listed):
    """Accounts by client id."""

    items: list[AccountAnswer]


def _period(period: Period) -> dict[str, Any]:
    since, until = (None if moment is None else timestamp(moment) for moment in period)
    return {"active_from": since, "active_until": until}
