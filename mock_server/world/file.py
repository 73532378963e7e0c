"""The world file: TOML in, a consistent world out, or every fault in words."""

import base64
import binascii
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from mock_server.identifiers import (
    Capacity,
    ClientId,
    EnterpriseNumber,
    Quarter,
    ServiceName,
    Ssin,
    parse_client_id,
    parse_enterprise_number,
    parse_ssin,
)
from mock_server.redaction import shown
from mock_server.world import consistency
from mock_server.world.certificates import CertificateRefusedError, register_certificate
from mock_server.world.model import (
    Account,
    Employment,
    Employments,
    Enterprise,
    Mandate,
    MandateDecision,
    OwnNumber,
    RegisteredCertificate,
    Service,
    WorldSettings,
    WorldState,
)

_MAX_BYTES = 64 * 1024 * 1024

_Number = Annotated[str, AfterValidator(parse_enterprise_number)]
_Person = Annotated[str, AfterValidator(parse_ssin)]
_Client = Annotated[str, AfterValidator(parse_client_id)]
_Quarter = Annotated[str, AfterValidator(Quarter.parse)]
_Name = Annotated[str, Field(min_length=1, max_length=200)]

# In the words of TOML, not of Python.
_SHAPES = {
    "tuple_type": "a list",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "string_type": "text, in quotes",
}


class WorldFileError(ValueError):
    """A world file that cannot be used; one line for each fault."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _EnterpriseEntry(_Entry):
    number: _Number
    name: _Name
    capacities: tuple[Capacity, ...]
    employments: Employments | None = None


class _CertificateEntry(_Entry):
    name: _Name | None = None
    file: str | None = None
    der: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.file is None) == (self.der is None):
            msg = "a certificate has either file (a path) or der (base64)"
            raise ValueError(msg)
        return self


class _AccountEntry(_Entry):
    name: _Name
    enterprise: _Number
    capacity: Capacity
    client_id: _Client
    permissions: tuple[str, ...] = ()
    certificates: tuple[_CertificateEntry, ...] = ()


class _MandateEntry(_Entry):
    mandator: _Number
    mandatary: _Number
    service: str
    start: _Quarter
    end: _Quarter | None = None
    status: Literal["proposed", "confirmed", "active", "ended", "rejected", "revoked"] = "confirmed"

    @model_validator(mode="after")
    def _ended_has_end(self) -> Self:
        if self.status == "ended" and self.end is None:
            msg = "a mandate that is ended has an end quarter"
            raise ValueError(msg)
        return self

    def decision(self) -> MandateDecision:
        # Whether a confirmed mandate is active or ended follows from its quarters and the clock.
        return MandateDecision.CONFIRMED if self.status in {"active", "ended"} else MandateDecision(self.status)


class _EmploymentEntry(_Entry):
    enterprise: _Number
    ssin: _Person


class _SettingsEntry(_Entry):
    employments: Employments = Employments.OPEN
    mandatary_own_number: OwnNumber = OwnNumber.REFUSE


class _WorldEntry(_Entry):
    enterprises: tuple[_EnterpriseEntry, ...] = ()
    accounts: tuple[_AccountEntry, ...] = ()
    mandates: tuple[_MandateEntry, ...] = ()
    employments: tuple[_EmploymentEntry, ...] = ()
    settings: _SettingsEntry = _SettingsEntry()


def load_world(path: Path, services: Mapping[ServiceName, Service]) -> WorldState:
    """Read a world file. Paths of certificates are relative to it. Raises `WorldFileError`."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            msg = f"{path}: larger than {_MAX_BYTES} bytes; a world file is TOML text"
            raise WorldFileError(msg)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        msg = f"{path}: cannot be read: {reason}. Give the path of a TOML file, or demo, or empty."
        raise WorldFileError(msg) from None
    return read_world(text, services, folder=path.parent, origin=str(path))


def read_world(text: str, services: Mapping[ServiceName, Service], *, folder: Path, origin: str) -> WorldState:
    """Read a world from TOML text; `origin` names it in errors. Raises `WorldFileError`."""
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        msg = f"{origin}: not valid TOML: {error}"
        raise WorldFileError(msg) from None
    try:
        entry = _WorldEntry.model_validate(raw)
    except ValidationError as error:
        raise WorldFileError("\n".join(f"{origin}: {line}" for line in _sentences(error, raw))) from None
    faults: list[str] = []
    state = _state(entry, folder, faults)
    faults += consistency.faults(state, services)
    if faults:
        raise WorldFileError("\n".join(f"{origin}: {fault}" for fault in faults))
    return state


def _state(entry: _WorldEntry, folder: Path, faults: list[str]) -> WorldState:
    return WorldState(
        enterprises=tuple(
            Enterprise(EnterpriseNumber(e.number), e.name, frozenset(e.capacities), e.employments)
            for e in entry.enterprises
        ),
        accounts=tuple(
            Account(
                client_id=ClientId(a.client_id),
                name=a.name,
                enterprise=EnterpriseNumber(a.enterprise),
                capacity=a.capacity,
                permissions=tuple(ServiceName(name) for name in dict.fromkeys(a.permissions)),
                certificates=_certificates(a, index, folder, faults),
            )
            for index, a in enumerate(entry.accounts)
        ),
        mandates=tuple(
            Mandate(
                EnterpriseNumber(m.mandator),
                EnterpriseNumber(m.mandatary),
                ServiceName(m.service),
                m.start,  # type: ignore[arg-type]  # _Quarter ends as a Quarter
                m.end,  # type: ignore[arg-type]  # as above
                m.decision(),
            )
            for m in entry.mandates
        ),
        employments=tuple(Employment(EnterpriseNumber(e.enterprise), Ssin(e.ssin)) for e in entry.employments),
        settings=WorldSettings(entry.settings.employments, entry.settings.mandatary_own_number),
    )


def _certificates(
    account: _AccountEntry, index: int, folder: Path, faults: list[str]
) -> tuple[RegisteredCertificate, ...]:
    registered = []
    for number, entry in enumerate(account.certificates):
        place = f"accounts[{index}] ({shown(account.name)}).certificates[{number}]"
        try:
            data = _certificate_bytes(entry, folder)
            name = entry.name or (Path(entry.file).name if entry.file else f"certificate {number + 1}")
            registered.append(register_certificate(name, data))
        except CertificateRefusedError as error:
            faults.append(f"{place}: {error}")
        except OSError as error:
            faults.append(f"{place}: {shown(entry.file)} cannot be read: {error.strerror}")
        except binascii.Error:
            faults.append(f"{place}: der is not base64")
    return tuple(registered)


def _certificate_bytes(entry: _CertificateEntry, folder: Path) -> bytes:
    if entry.file is not None:
        return (folder / entry.file).read_bytes()
    return base64.b64decode(entry.der or "", validate=True)


def _sentences(error: ValidationError, raw: Mapping[str, Any]) -> list[str]:
    """Say each fault as place, expectation and what came."""
    lines = []
    for fault in error.errors(include_url=False, include_context=True):
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]).lstrip(".")
        label = _label(raw, fault["loc"])
        if fault["type"] == "extra_forbidden":
            expectation = f"is not known here; known are {', '.join(_known_members(fault['loc']))}"
        elif fault["type"] == "missing":
            expectation = "is missing"
        elif fault["type"] in _SHAPES:
            expectation = f"should be {_SHAPES[fault['type']]}; found {shown(fault['input'])}"
        else:
            expectation = f"{fault['msg'].removeprefix('Value error, ')}; found {shown(fault['input'])}"
        lines.append(f"{place}{label}: {expectation}")
    return lines


def _label(raw: Mapping[str, Any], location: tuple[int | str, ...]) -> str:
    value: Any = raw
    name = None
    for part in location:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            name = value["name"]
    return f" ({shown(name)})" if name else ""


def _known_members(location: tuple[int | str, ...]) -> list[str]:
    models: dict[str, type[BaseModel]] = {
        "enterprises": _EnterpriseEntry,
        "accounts": _AccountEntry,
        "mandates": _MandateEntry,
        "employments": _EmploymentEntry,
        "settings": _SettingsEntry,
        "certificates": _CertificateEntry,
    }
    parents = [part for part in location[:-1] if isinstance(part, str)]
    return list((models[parents[-1]] if parents else _WorldEntry).model_fields)
