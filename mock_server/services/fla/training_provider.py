"""What the FLA adds to the training providers' API. All of that API is assumed but its existence (G§2.5, §6.2)."""

from mock_server.identifiers import Ssin
from mock_server.services.behaviour import Findings, Place
from mock_server.services.fla import rules
from mock_server.strict_json import Json
from mock_server.world.world import World


class TrainingProviderBehaviour:
    """Judges the trainings that providers send."""

    def __init__(self, world: World) -> None:
        """Nothing is asked of a world: a provider's training is judged by itself."""

    def judge(self, document: Json, place: Place) -> Findings:
        """Return what the rules have against a training that a provider sends."""
        day = rules.today(place.now)
        return rules.findings(rules.provided_errors(document, day), rules.provided_warnings(document, day))

    def shown(self, document: Json, place: Place) -> Json:  # noqa: ARG002 - what employers corrected is theirs alone
        """Return the training as it was sent: a provider is not shown what employers made of it (assumed)."""
        return document


def mentioned(document: Json) -> tuple[Ssin, ...]:
    """Return the participants whom a provider's training is found by: each SSIN that can be one, once."""
    return rules.participants_of(document)
