"""What the FLA adds to the employers' API: its rules, and the trainings that providers sent for an employee.

That employers see and correct what providers sent is said by secondary sources (herwin.be, fedustria.be); how is not
known. All of this is assumed:

* A provider's record stands in the list of the employer that it names for the participant. Where it names none, it
  stands in the lists of every employer that the world takes the person to be in service of.
* It stands in the list of each year that its period touches, after what the employer sent, by provider and key.
* An item of the list that refers to the record (`trainingProvider`) takes its place in that list: it is the employer's
  correction, even when it says the same. The provider's later changes, or its DELETE, leave a correction as it is.
* A record that is not corrected follows the provider: it changes with its PUT and disappears with its DELETE. An
  employer cannot remove it: left out of a PUT, it is there again at the next GET.
"""

import json
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain
from typing import Protocol
from urllib.parse import unquote

from mock_server.identifiers import EnterpriseNumber, InvalidIdentifierError, Ssin, parse_enterprise_number
from mock_server.services.behaviour import Findings, Place
from mock_server.services.fla import EMPLOYER_API, TRAINING_PROVIDER_API, rules
from mock_server.services.fla.rules import Reference
from mock_server.strict_json import Json
from mock_server.world.model import Document

_STATUSES = {"planned": "planned", "completed": "followed"}
_KEPT = ("name", "startDate", "endDate", "duration", "type")
_MANDATORY = frozenset({*_KEPT, "status"})
_COLLECTION = "trainings"


class Facts(Protocol):
    """What is asked of a world."""

    def document(self, api: str, path: str) -> Document | None:
        """Return the document of an API at a path."""

    def documents_mentioning(self, api: str, ssin: Ssin) -> list[Document]:
        """Return the documents of an API that a person can be found in."""

    def employs(self, number: EnterpriseNumber, ssin: Ssin) -> bool:
        """Whether a person is in service of an enterprise."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a provider sent about one participant."""

    reference: Reference
    training: dict[str, Json]
    participant: dict[str, Json]

    def as_item(self) -> dict[str, Json] | None:
        """Return it as an item of an employer's list; None when it lacks what such an item must have."""
        status = self.training.get("status")
        if not isinstance(status, str) or status not in _STATUSES or not all(name in self.training for name in _KEPT):
            return None
        item = {name: self.training[name] for name in _KEPT}
        item["status"] = _STATUSES[status]
        item["certificate"] = self.participant.get("certificate", {"obtained": False})
        item["countsForIndividualRight"] = self.participant.get("countsForIndividualRight", True)
        provider, key = self.reference
        return item | {"trainingProvider": {"enterpriseNumber": provider, "trainingKey": key}}


class EmployerBehaviour:
    """Judges employers' lists, and shows them with what training providers sent."""

    def __init__(self, world: Facts) -> None:
        self._world = world

    def judge(self, document: Json, place: Place) -> Findings:
        """Return what the rules have against a list.

        A record that the stored list refers to may be referred to again, whatever its provider did meanwhile: what
        was read can be sent back.
        """
        day = rules.today(place.now)
        made = rules.references_in(document)
        errors = chain(
            rules.year_errors(place.year, place.year_name, day),
            rules.list_errors(document, place.year),
            rules.reference_errors(document, self._known(made, place)) if made else (),
        )
        return rules.findings(errors, rules.list_warnings(document, day))

    def shown(self, document: Json, place: Place) -> Json:
        """Return a list with the providers' records that it does not correct; of another shape, as it is."""
        records = self._records(place)
        items = _items(document, place) if records else None
        if items is None or place.year is None:
            return document
        corrected = rules.references_in(document)
        added = []
        for reference, record in sorted(records.items()):
            period = rules.period_of(record.training)
            if reference in corrected or period is None or not period.touches(place.year, place.year):
                continue
            item = record.as_item()
            if item is not None:
                added.append(item)
        return {**document, "items": [*items, *added]} if added else document

    def _known(self, made: AbstractSet[Reference], place: Place) -> AbstractSet[Reference] | None:
        """Return the references that may be made here, of those that are; None where nobody can tell."""
        if place.enterprise is None or place.ssin is None:
            return None
        sent = self._records(place).keys()
        return sent if made <= sent else sent | self._corrected(place)

    def _corrected(self, place: Place) -> AbstractSet[Reference]:
        stored = self._world.document(EMPLOYER_API, place.path)
        return frozenset() if stored is None or stored.body is None else rules.references_in(json.loads(stored.body))

    def _records(self, place: Place) -> dict[Reference, Record]:
        """Return what providers sent for the employee of a place with its employer, one for each training."""
        employer, ssin = place.enterprise, place.ssin
        if employer is None or ssin is None:
            return {}
        found: dict[Reference, Record] = {}
        for document in self._world.documents_mentioning(TRAINING_PROVIDER_API, ssin):
            reference = _reference(document.path)
            training = None if document.body is None else json.loads(document.body)
            if reference is None or not isinstance(training, dict):
                continue
            participant = self._participant(training, employer, ssin)
            if participant is not None:
                found[reference] = Record(reference, training, participant)
        return found

    def _participant(self, training: dict[str, Json], employer: EnterpriseNumber, ssin: Ssin) -> dict[str, Json] | None:
        """Return what a training says of a person with an employer; who is named with it goes before who is not."""
        participants = training.get("participants")
        mine = [
            participant
            for participant in (participants if isinstance(participants, list) else ())
            if rules.ssin_of(participant) == ssin
        ]
        for participant in mine:
            if rules.employer_of(participant) == employer:
                return dict(participant)
        for participant in mine:
            if "employer" not in participant and self._world.employs(employer, ssin):
                return dict(participant)
        return None


def _items(document: Json, place: Place) -> list[dict[str, Json]] | None:
    """Return the items of an employer's list of trainings, if that is what a document is."""
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list) or place.path.rpartition("/")[2] != _COLLECTION:
        return None
    return items if all(isinstance(item, dict) and item.keys() >= _MANDATORY for item in items) else None


def _reference(path: str) -> Reference | None:
    """Read `trainingProviders/{enterpriseNumber}/trainings/{trainingKey}`, percent-encoded; None for another path."""
    match [unquote(part) for part in path.split("/")]:
        case ["trainingProviders", number, "trainings", key]:
            try:
                return Reference(parse_enterprise_number(number), key)
            except InvalidIdentifierError:
                return None
    return None
