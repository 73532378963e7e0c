"""Programs of the system, clients of every kind of key, and a server that knows them."""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from mock_server.certificates.loading import SigningKey
from mock_server.certificates.making import (
    DEFAULT_PASSWORD,
    KEY_KINDS,
    IdentityFiles,
    make_certificate,
    make_key,
    write_identity,
)
from mock_server.identifiers import EnterpriseNumber
from tests.support import DAY
from tests.system.processes import Server, started

# Enterprise numbers that are not given out, and that the demo world does not know: they employ everybody.
_ENTERPRISES = ("1999020144", "1999020243", "1999020342", "1999020441", "1999020540")


def need(*programs: str) -> None:
    """Skip the test when a program of the system is missing; in CI, where .ci/install-system ran, fail it."""
    missing = [program for program in programs if shutil.which(program) is None]
    if not missing:
        return
    message = f"{', '.join(missing)} is not installed: .ci/install-system installs it"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@dataclass(frozen=True)
class Client:
    """A client with an account of its own."""

    client_id: str
    enterprise: str
    key: SigningKey
    files: IdentityFiles

    @property
    def account(self) -> str:
        """The `--account` that registers it."""
        return (
            f"client_id={self.client_id},capacity=employer,enterprise={self.enterprise},cert={self.files.certificate}"
        )


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Client]:
    """Return a client for each kind of key."""
    folder = tmp_path_factory.mktemp("clients")
    made = {}
    for kind, enterprise in zip(KEY_KINDS, _ENTERPRISES, strict=True):
        key = make_key(kind)
        certificate = make_certificate(
            key,
            common_name=kind,
            organization="test",
            enterprise_number=EnterpriseNumber(enterprise),
            not_before=time.time() - DAY,
            days=30,
        )
        files = write_identity(folder, kind, key, certificate, DEFAULT_PASSWORD)
        made[kind] = Client(f"client_{kind}", enterprise, key, files)
    return made


@pytest.fixture(scope="session")
def server(clients: Mapping[str, Client], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server that knows every client, and says on its console what it answers."""
    accounts = [f"--account={client.account}" for client in clients.values()]
    with started(tmp_path_factory.mktemp("server"), "--world=empty", "--log-level=debug", *accounts) as running:
        yield running
