"""Reading a world: TOML or JSON in, a consistent world out, or every fault in words."""

import base64
import codecs
import errno
import os
import stat
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from mock_server import strict_json
from mock_server.certificates.loading import MAX_BYTES as MAX_CERTIFICATE_BYTES
from mock_server.identifiers import ServiceName
from mock_server.redaction import shown
from mock_server.world import consistency
from mock_server.world.certificates import register_certificate
from mock_server.world.entries import (
    LISTS,
    LONGEST_NAME,
    MOST_MEMBERS,
    TABLES,
    AccountEntry,
    CertificateEntry,
    ClockEntry,
    DocumentEntry,
    EmploymentEntry,
    EnterpriseEntry,
    Entry,
    FaultEntry,
    MandateEntry,
    SettingsEntry,
)
from mock_server.world.model import RegisteredCertificate, Service, StoredFault, WorldState
from mock_server.world.sentences import in_words, named, sentences
from mock_server.world.service_entries import MEMBER as SERVICES
from mock_server.world.service_entries import ServiceEntry, name_fault

MAX_BYTES = 256 * 1024 * 1024
"""Of a world file; 1,000,000 employments, 100,000 enterprises and as many mandates take 80 MiB."""
MAX_FAULTS = 100
"""So many faults are told; whoever mends these is told the next."""

ValidateFault = Callable[[Mapping[str, Any]], object]
"""Judges the members of a scripted fault; raises `ValueError` with a line for each thing that is wrong."""

_TOML_TABLE = "a table"
_JSON_TABLE = "an object"

E = TypeVar("E", bound=Entry)


class WorldFileError(ValueError):
    """A world that cannot be read; one line for each fault, after the name of the file if there is one."""

    def __init__(self, faults: Iterable[str], origin: str | None = None) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults if origin is None else (f"{origin}: {fault}" for fault in self.faults)))


class WorldFile:
    """A world file that was parsed, and of which nothing is judged yet: who is in it may name services of its own."""

    def __init__(self, raw: object, table: str, folder: Path, origin: str) -> None:
        self._raw = raw
        self._table = table
        self.folder = folder
        """What the paths in the file are relative to."""
        self.origin = origin
        """How the file is called in faults."""

    def services(self) -> Mapping[str, ServiceEntry]:
        """Return what `[services.*]` says, by the services' names.

        Raises `WorldFileError`, then with all else that is wrong as far as it can be told.
        """
        reading = _Reading(self._table, self.folder, None, has_services=True)
        try:
            found = reading.services(self._raw)
        except _StopError:
            found = {}
        if reading.faults:
            self.state({}, validate_fault=lambda _: None)
        return found

    def state(
        self, services: Mapping[ServiceName, Service], *, validate_fault: ValidateFault | None = None
    ) -> WorldState:
        """Return the world. Raises `WorldFileError`."""
        reading = _Reading(self._table, self.folder, validate_fault, has_services=True)
        return reading.world(self._raw, services, self.origin)


def open_world(path: Path) -> WorldFile:
    """Parse a world file. Raises `WorldFileError`.

    What begins with a brace, or is named `….json`, is JSON. A pipe is read too. Paths of certificates and contracts are
    relative to the file; to the working directory when it is a pipe.
    """
    origin = str(path) if str(path).isprintable() else shown(str(path))
    try:
        data, is_pipe = _read_bounded(path, MAX_BYTES, pipes=True)
    except OSError as error:
        advice = "Give the path of a TOML or JSON file, or demo, or empty."
        raise WorldFileError([f"cannot be read: {error.strerror}. {advice}"], origin) from None
    if len(data) > MAX_BYTES:
        raise WorldFileError([f"larger than {MAX_BYTES} bytes; a world file is TOML or JSON text"], origin)
    # Some editors put a byte order mark before UTF-8.
    data = data.removeprefix(codecs.BOM_UTF8)
    folder = Path() if is_pipe else path.parent
    if path.suffix.lower() == ".json" or data.lstrip().startswith(b"{"):
        return WorldFile(_json(data, origin), _JSON_TABLE, folder, origin)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise WorldFileError(["cannot be read: it is not UTF-8 text. Save it as UTF-8."], origin) from None
    return WorldFile(_toml(text, origin), _TOML_TABLE, folder, origin)


def read_world(text: str, services: Mapping[ServiceName, Service], *, folder: Path, origin: str) -> WorldState:
    """Read a world from TOML text; `origin` names it in errors. Raises `WorldFileError`."""
    return _Reading(_TOML_TABLE, folder, None).world(_toml(text, origin), services, origin)


def _toml(text: str, origin: str) -> object:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WorldFileError([f"not valid TOML: {error}"], origin) from None
    except RecursionError:
        raise WorldFileError(["not valid TOML: it is nested too deep"], origin) from None
    except ValueError:
        # Python's own words of a limit that nobody can change here.
        raise WorldFileError(["not valid TOML: a number in it has thousands of digits"], origin) from None


def _json(data: bytes, origin: str | None) -> object:
    try:
        return strict_json.loads(data)
    except strict_json.StrictJsonError as error:
        raise WorldFileError([f"not valid JSON: {error}"], origin) from None


def import_state(  # noqa: PLR0913 - one name for each thing that a caller knows
    data: bytes | Mapping[str, Any],
    services: Mapping[ServiceName, Service],
    *,
    validate_fault: ValidateFault | None,
    folder: Path | None = None,
    max_bytes: int = MAX_BYTES,
    origin: str | None = None,
) -> WorldState:
    """Read a world from JSON, as bytes or as an object that was parsed strictly. Raises `WorldFileError`.

    Without a folder, a certificate that is named by its `file` is refused: it must stand there itself (`der`).
    """
    raw: object = dict(data) if isinstance(data, Mapping) else data
    if isinstance(data, bytes):
        if len(data) > max_bytes:
            raise WorldFileError([f"larger than {max_bytes} bytes, the most that is read"], origin)
        raw = _json(data, origin)
    return _Reading(_JSON_TABLE, folder, validate_fault).world(raw, services, origin)


class _StopError(Exception):
    """Enough is known to be wrong."""


@dataclass
class _Reading:
    """What one world is read with, and what was found to be wrong."""

    table: str
    """What the format calls an object."""
    folder: Path | None
    validate_fault: ValidateFault | None
    has_services: bool = False
    """Whether services may stand in it: in a file that a server starts with, and not in a state of one that runs."""
    faults: list[str] = field(default_factory=list)
    is_broken: bool = False
    """Whether an entry is missing from what was read, so that the others may not fit together for that reason."""
    registered: dict[bytes, RegisteredCertificate] = field(default_factory=dict)

    def world(self, raw: object, services: Mapping[ServiceName, Service], origin: str | None) -> WorldState:
        try:
            state = self._state(raw)
            for fault in consistency.each_fault(state, services):
                self._tell(fault)
            if not self.faults:
                return state
        except _StopError:
            pass
        raise WorldFileError(self.faults, origin)

    def _tell(self, fault: str) -> None:
        if len(self.faults) == MAX_FAULTS:
            self.faults.append(f"and more: these are the first {MAX_FAULTS}")
            raise _StopError
        self.faults.append(fault)

    def _break(self, faults: Iterable[str]) -> None:
        for fault in faults:
            self.is_broken = True
            self._tell(fault)

    def _state(self, raw: object) -> WorldState:
        known = (*LISTS, *TABLES, *([SERVICES] if self.has_services else []))
        self.services(raw)
        if not isinstance(raw, dict):
            self._tell(f"a world is {self.table} with {', '.join(known)}; found {in_words(raw, self.table)}")
            raise _StopError
        if not self.has_services and SERVICES in raw:
            self._break(
                [f"{SERVICES}: are given at start only, in a world file or with --service; leave them out here"]
            )
            known = (*known, SERVICES)
        self._break(
            f"{named(name)}: is not known here; known are {', '.join(known)}" for name in raw if name not in known
        )
        state = WorldState(
            enterprises=tuple(entry.enterprise() for _, entry in self._entries(raw, "enterprises", EnterpriseEntry)),
            accounts=tuple(
                entry.account(self._certificates(index, entry))
                for index, entry in self._entries(raw, "accounts", AccountEntry)
            ),
            mandates=tuple(entry.mandate() for _, entry in self._entries(raw, "mandates", MandateEntry)),
            employments=tuple(entry.employment() for _, entry in self._entries(raw, "employments", EmploymentEntry)),
            settings=self._one(raw, "settings", SettingsEntry).settings(),
            documents=tuple(entry.document() for _, entry in self._entries(raw, "documents", DocumentEntry)),
            clock=self._one(raw, "clock", ClockEntry).clock(),
            faults=self._scripted(list(self._entries(raw, "faults", FaultEntry))),
        )
        if self.is_broken:
            raise _StopError
        return state

    def services(self, raw: object) -> Mapping[str, ServiceEntry]:
        """Return the services of a file, as far as they are good ones."""
        values = raw.get(SERVICES, {}) if isinstance(raw, dict) and self.has_services else {}
        if not isinstance(values, dict) or len(values) > MOST_MEMBERS:
            expected = f"{self.table} of at most {MOST_MEMBERS} services, each by its name"
            self._break([f"{SERVICES}: should be {expected}; found {in_words(values, self.table)}"])
            return {}
        found = {}
        for name, value in values.items():
            place = f"{SERVICES}.{named(name)}"
            fault = name_fault(name)
            if fault is not None:
                self._break([f"{place}: {fault}"])
            entry = self._entry(value, place, ServiceEntry)
            if entry is not None:
                found[name] = entry
        return found

    def _entries(self, raw: dict[str, Any], name: str, model: type[E]) -> Iterator[tuple[int, E]]:
        values = raw.get(name, [])
        if not isinstance(values, list):
            self._break([f"{name}: should be a list; found {in_words(values, self.table)}"])
            return
        for index, value in enumerate(values):
            entry = self._entry(value, f"{name}[{index}]", model)
            if entry is not None:
                yield index, entry

    def _one(self, raw: dict[str, Any], name: str, model: type[E]) -> E:
        entry = self._entry(raw[name], name, model) if name in raw else None
        return model() if entry is None else entry

    def _entry(self, value: object, place: str, model: type[E]) -> E | None:
        if isinstance(value, dict) and len(value) > MOST_MEMBERS:
            self._break([f"{place}: has {len(value)} members, and at most {MOST_MEMBERS} are read"])
            return None
        try:
            return model.model_validate(value)
        except ValidationError as error:
            self._break(sentences(error, model, value, place, self.table))
            return None

    def _certificates(self, index: int, account: AccountEntry) -> Iterator[RegisteredCertificate]:
        for number, entry in enumerate(account.certificates):
            place = f"accounts[{index}] ({shown(account.name)}).certificates[{number}]"
            try:
                data = self._certificate_data(entry)
                if data not in self.registered:
                    self.registered[data] = register_certificate("", data)
            except ValueError as error:
                self._tell(f"{place}: {error}")
            else:
                name = entry.name or _fit_name(Path(entry.file or "").name) or f"certificate {number + 1}"
                yield RegisteredCertificate(name, self.registered[data].der, entry.period())

    def _certificate_data(self, entry: CertificateEntry) -> bytes:
        if entry.der is not None:
            try:
                return base64.b64decode("".join(entry.der.split()), validate=True)
            except ValueError:
                msg = "der is not base64"
                raise ValueError(msg) from None
        file = entry.file or ""
        if self.folder is None:
            msg = "file is for a world file on a disk: give the certificate itself as der, in base64"
            raise ValueError(msg)
        try:
            # A file that is larger than a certificate can be is refused as such, and read no further.
            return _read_bounded(self.folder / file, MAX_CERTIFICATE_BYTES)[0]
        except OSError as error:
            msg = f"{shown(file)} cannot be read: {error.strerror}"
            raise ValueError(msg) from None

    def _scripted(self, entries: list[tuple[int, FaultEntry]]) -> tuple[StoredFault, ...]:
        taken = {entry.id for _, entry in entries}
        free = (number for number in count(1) if number not in taken)
        found = []
        for index, entry in entries:
            try:
                if self.validate_fault is None:
                    msg = "scripted faults are not taken here; add them to the running mock"
                    raise ValueError(msg)  # noqa: TRY301 - told like what the other judge finds
                self.validate_fault(entry.members)
            except ValueError as error:
                self._break(f"faults[{index}]: {line}" for line in str(error).splitlines() or ["is refused"])
            else:
                found.append(entry.fault(entry.id or next(free)))
        return tuple(found)


def _read_bounded(path: Path, limit: int, *, pipes: bool = False) -> tuple[bytes, bool]:
    """Return at most a byte more than the limit, and whether it is a pipe. Devices are not read: they may never end."""
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "no file can have such a name")
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    is_pipe = stat.S_ISFIFO(mode)
    if not (stat.S_ISREG(mode) or (is_pipe and pipes)):
        raise OSError(errno.EINVAL, "it is not a file, but a device, a pipe or a socket")
    with path.open("rb") as file:
        return file.read(limit + 1), is_pipe


def _fit_name(text: str) -> str | None:
    """Return a text that came from elsewhere if a `Name` may be so, else None."""
    return text if 0 < len(text) <= LONGEST_NAME and text.isprintable() else None
