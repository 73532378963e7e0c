"""The services that the mock knows: what ChaMan calls them, and what scopes they give.

All that is said of the FLA is here, in its contracts and in its rules (`fla`); the channel itself knows no service.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mock_server.identifiers import Capacity, ServiceName
from mock_server.services.behaviour import MakeBehaviour, Mentioned, plain
from mock_server.services.documents.reader import Reading
from mock_server.services.fla.employer import EmployerBehaviour
from mock_server.services.fla.training_provider import TrainingProviderBehaviour, mentioned
from mock_server.services.names import (
    DIMONA,
    EMPLOYER_API,
    FLA,
    FLA_SCOPE,
    FLA_TRAINING_PROVIDER_SCOPE,
    TRAINING_PROVIDER_API,
)
from mock_server.world.model import Service

__all__ = [
    "DEFAULT_PATHS",
    "DIMONA",
    "EMPLOYER_API",
    "FLA",
    "FLA_TRAINING_PROVIDER_SCOPE",
    "TRAINING_PROVIDER_API",
    "Api",
    "contract_file",
    "own_apis",
    "services",
]

_ALL_CAPACITIES = frozenset(Capacity)
_READING = Reading()

DEFAULT_PATHS: Mapping[str, str] = {
    EMPLOYER_API: "/REST/careerpro-federal-learning-account/v1",
    TRAINING_PROVIDER_API: "/REST/careerpro-federal-learning-account-training-provider/v1",
}
"""The base paths of our contracts: also of a file in their place that names none. Both are assumed."""


@dataclass(frozen=True, slots=True)
class Api:
    """One base URL with one contract, of a service."""

    name: str
    service: ServiceName
    contract: Path
    base_path: str | None = None
    """Goes before the path of the contract's first server."""
    capacities: frozenset[Capacity] = _ALL_CAPACITIES
    """Whom the API is for; any other is refused for its scope."""
    reading: Reading = _READING
    """How the contract is read where it leaves a choice."""
    behaviour: MakeBehaviour = plain
    """What the service adds to the conventions."""
    mentioned: Mentioned | None = None
    """Returns the persons that a stored document is found by; None where no document is looked for so."""
    is_ours: bool = True
    """Whether the contract is one of the mock's own, and not a file that the user gave."""


def services(training_provider_scope: str = FLA_TRAINING_PROVIDER_SCOPE) -> Mapping[ServiceName, Service]:
    """Return the services by name."""
    fla = Service(
        name=FLA,
        permission="CareerPro - Federal Learning Account - Aangifte",
        # The suffix “provider” belongs to the mandatary, not to the training provider (G§6.1).
        scopes={
            Capacity.EMPLOYER: (f"{FLA_SCOPE}:employer",),
            Capacity.SOCIAL_SECRETARIAT: (f"{FLA_SCOPE}:provider",),
            Capacity.SERVICE_PROVIDER: (f"{FLA_SCOPE}:provider",),
            Capacity.TRAINING_PROVIDER: (training_provider_scope,),
        },
        one_mandatary=True,
        ends=True,
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


def own_apis() -> tuple[Api, ...]:
    """Return the APIs that are served without being told: those of the FLA, each from the contract made here."""
    return (
        Api(
            EMPLOYER_API,
            FLA,
            contract_file("fla-employer-v1.yaml"),
            capacities=frozenset({Capacity.EMPLOYER, Capacity.SOCIAL_SECRETARIAT, Capacity.SERVICE_PROVIDER}),
            behaviour=EmployerBehaviour,
        ),
        Api(
            TRAINING_PROVIDER_API,
            FLA,
            contract_file("fla-training-provider-v1.yaml"),
            capacities=frozenset({Capacity.TRAINING_PROVIDER}),
            behaviour=TrainingProviderBehaviour,
            mentioned=mentioned,
        ),
    )


def contract_file(name: str) -> Path:
    """Return where a contract of ours lies: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "openapi" / name
    return installed if installed.exists() else package.parent / "openapi" / name
