"""`demo.json`: all that a client needs to start, in one file beside the keys."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mock_server.certificates.making import DEFAULT_PASSWORD, write_whole
from mock_server.demo.world import Demo
from mock_server.identifiers import ServiceName
from mock_server.oauth.grant import granted_scopes
from mock_server.services.names import EMPLOYER_API, TRAINING_PROVIDER_API
from mock_server.world.model import Service

FILE_NAME = "demo.json"


@dataclass(frozen=True, slots=True)
class Urls:
    """Where a running server is."""

    base: str
    token: str
    apis: Mapping[str, str]
    """The base URL of each API, by its name."""
    ca_file: Path | None = None
    """The certificate of the CA that signed the server's own, when it serves https."""

    @property
    def employer(self) -> str:
        """The base URL of the employers' API."""
        return self.apis[EMPLOYER_API]

    @property
    def training_provider(self) -> str:
        """The base URL of the training providers' API."""
        return self.apis[TRAINING_PROVIDER_API]


def write_manifest(path: Path, demo: Demo, urls: Urls, services: Mapping[ServiceName, Service]) -> Path:
    """Write `demo.json` and return its path. Raises `OSError`."""
    text = json.dumps(manifest(demo, urls, services), indent=2, ensure_ascii=False)
    write_whole(path, f"{text}\n".encode())
    return path


def manifest(demo: Demo, urls: Urls, services: Mapping[ServiceName, Service]) -> dict[str, Any]:
    """Return the members of `demo.json`."""
    return {
        "mock_url": urls.base,
        "token_url": urls.token,
        "audience": urls.token,
        "employer_url": urls.employer,
        "training_provider_url": urls.training_provider,
        "apis": dict(urls.apis),
        "ca_file": None if urls.ca_file is None else str(urls.ca_file),
        "accounts": [
            {
                "name": account.name,
                "capacity": account.capacity,
                "enterprise_number": account.enterprise,
                "client_id": account.client_id,
                "scopes": list(granted_scopes(account, services)),
                "permissions": list(account.permissions),
                "key": str(demo.identities[account.name].files.key),
                "certificate": str(demo.identities[account.name].files.certificate),
                "pfx": str(demo.identities[account.name].files.pfx),
                "pfx_password": DEFAULT_PASSWORD,
            }
            for account in demo.state.accounts
        ],
        "mandates": [
            {
                "mandator": mandate.mandator,
                "mandatary": mandate.mandatary,
                "service": mandate.service,
                "start": str(mandate.start),
                "end": None if mandate.end is None else str(mandate.end),
            }
            for mandate in demo.state.mandates
        ],
        "employments": [
            {"enterprise_number": employment.enterprise, "ssin": employment.ssin}
            for employment in demo.state.employments
        ],
    }
