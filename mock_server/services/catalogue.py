"""The services that the mock knows: what ChaMan calls them, and what scopes they give.

All that is said of the FLA is here and in its contract; the channel itself knows no service.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mock_server.identifiers import Capacity, ServiceName
from mock_server.world.model import Service

FLA = ServiceName("fla")
DIMONA = ServiceName("dimona")

_FLA_SCOPE = "scope:sigedis:gestion:careerpro-federal-learning-account"
FLA_TRAINING_PROVIDER_SCOPE = f"{_FLA_SCOPE}:training-provider"
"""Assumed, in the form of the two others: the cell is blank in the guide's text (G§6.1)."""


@dataclass(frozen=True, slots=True)
class Api:
    """One base URL with one contract, of a service."""

    name: str
    service: ServiceName
    contract: Path
    base_path: str | None = None
    """Overrides the path of the contract's first server."""


def services(training_provider_scope: str = FLA_TRAINING_PROVIDER_SCOPE) -> Mapping[ServiceName, Service]:
    """Return the services by name."""
    fla = Service(
        name=FLA,
        permission="CareerPro - Federal Learning Account - Aangifte",
        # The suffix “provider” belongs to the mandatary, not to the training provider (G§6.1).
        scopes={
            Capacity.EMPLOYER: (f"{_FLA_SCOPE}:employer",),
            Capacity.SOCIAL_SECRETARIAT: (f"{_FLA_SCOPE}:provider",),
            Capacity.SERVICE_PROVIDER: (f"{_FLA_SCOPE}:provider",),
            Capacity.TRAINING_PROVIDER: (training_provider_scope,),
        },
        one_mandatary=True,
    )
    dimona = Service(
        name=DIMONA,
        permission="Dimona-aangiftes verrichten",
        # Assumed: one public client asks for it; no official text read names a Dimona scope.
        scopes=dict.fromkeys(
            (Capacity.EMPLOYER, Capacity.SOCIAL_SECRETARIAT, Capacity.SERVICE_PROVIDER), ("scope:dimona",)
        ),
        one_mandatary=False,
    )
    return {service.name: service for service in (fla, dimona)}


def contract_file(name: str) -> Path:
    """Return where a contract of ours lies: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "openapi" / name
    return installed if installed.exists() else package.parent / "openapi" / name
