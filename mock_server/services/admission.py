"""Whom a call is about, and whether its caller may act for them."""

from dataclasses import dataclass, replace

from mock_server.asgi import Scope, header_values
from mock_server.gateway.bearer import Principal
from mock_server.identifiers import (
    EnterpriseNumber,
    InvalidIdentifierError,
    Ssin,
    parse_enterprise_number,
    parse_ssin,
)
from mock_server.problems import INVALID_STRUCTURE, Issue, Problem
from mock_server.services import requirements as req
from mock_server.services.access import EMPLOYMENT, judge_employment, judge_enterprise
from mock_server.services.access import Asked as AskedAccess
from mock_server.services.behaviour import Place
from mock_server.services.contract import Inputs, Operation
from mock_server.services.documents.held import ENTERPRISE_NUMBER, SSIN, YEAR, Found, Held
from mock_server.services.documents.values import query_pairs
from mock_server.services.outcomes import Asked
from mock_server.services.refused import Refused, refused
from mock_server.services.validation import ParameterSchema
from mock_server.verdict import Provenance, Trail
from mock_server.world.model import Service
from mock_server.world.world import World


@dataclass(frozen=True, slots=True)
class Admission:
    """Decides on access to one call."""

    trail: Trail
    scope: Scope
    world: World
    service: Service
    rules: frozenset[Provenance]
    """Which rules apply, by how well they are known: that an employment is looked at is assumed."""

    def place(self, operation: Operation, principal: Principal, inputs: Inputs, path: str, *, is_apart: bool) -> Place:
        """Return what the call is about. Raises `Refused` if the account may not act for all whom it names."""
        now = self.world.clock.now()
        employers = [EnterpriseNumber(text) for text in self._held(operation, inputs, ENTERPRISE_NUMBER)]
        guard = operation.held.get(ENTERPRISE_NUMBER)
        if guard is not None and not employers and self._is_sent(operation, guard):
            # A value of nothing must not open what is guarded by it.
            detail = "expected an enterprise number, came none"
            issue = Issue(INVALID_STRUCTURE, guard.location, guard.parameter, detail)
            raise refused(self.trail, req.PARAMETERS, [issue])
        persons = [Ssin(text) for text in self._held(operation, inputs, SSIN)]
        years = [int(text) for text in self._held(operation, inputs, YEAR)]
        year = years[0] if len(years) == 1 else None
        for employer in employers:
            asked = AskedAccess(employer, self.service.name, now, year)
            problem = judge_enterprise(self.trail, principal.account, asked, self.world)
            for person in persons if problem is None else ():
                problem = problem or self._employment(self.trail, employer, person, operation.held[SSIN])
            if problem is not None:
                raise Refused(problem)
        return Place(
            path,
            inputs.path,
            now,
            employers[0] if len(employers) == 1 else None,
            persons[0] if len(persons) == 1 else None,
            year,
            operation.held[YEAR].parameter if year is not None else "",
            # No path has an empty segment, so none leads to what is kept apart.
            f"{'+'.join(sorted(set(employers))) or '-'}//" if is_apart else "",
        )

    def with_keys_judged(self, asked: Asked, principal: Principal, parameter: ParameterSchema) -> Asked:
        """Return what is asked of a collection whose members are enterprises or persons: each is judged like a path."""

        def judge_key(key: str) -> None:
            problem = self._judge_key(self.trail, asked.place, principal, parameter, key)
            if problem is not None:
                raise Refused(problem)

        def sees_key(key: str) -> bool:
            return self._judge_key(Trail(), asked.place, principal, parameter, key) is None

        return replace(asked, judge_key=judge_key, sees_key=sees_key)

    def _judge_key(
        self, trail: Trail, place: Place, principal: Principal, parameter: ParameterSchema, key: str
    ) -> Problem | None:
        if parameter.holds == ENTERPRISE_NUMBER:
            asked = AskedAccess(EnterpriseNumber(key), self.service.name, place.now, place.year)
            return judge_enterprise(trail, principal.account, asked, self.world)
        if parameter.holds == SSIN and place.enterprise is not None:
            where = Held(parameter.name, "body", Found.NAME)
            return self._employment(trail, place.enterprise, Ssin(key), where)
        return None

    def _employment(self, trail: Trail, employer: EnterpriseNumber, person: Ssin, held: Held) -> Problem | None:
        if EMPLOYMENT.provenance not in self.rules:
            return None
        return judge_employment(trail, employer, person, self.world, held)

    def _is_sent(self, operation: Operation, guard: Held) -> bool:
        """Whether a parameter stands in the request, whatever its value, or has to."""
        mine = (one for one in operation.parameters if (one.name, one.location) == (guard.parameter, guard.location))
        if any(one.required for one in mine):
            return True
        if guard.location == "header":
            return bool(header_values(self.scope, guard.parameter.lower().encode()))
        pairs = query_pairs(self.scope["query_string"].decode("latin-1"))
        return any(name.partition("[")[0] == guard.parameter for name, _ in pairs)

    def _held(self, operation: Operation, inputs: Inputs, what: str) -> list[str]:
        """Return what a call names of the things that the access rules look at; a list names several."""
        found = operation.held.get(what)
        if found is None or (found.location, found.parameter) not in inputs.values:
            return []
        value = inputs.values[found.location, found.parameter]
        if found.location == "path" and not isinstance(value, list):
            return [inputs.path[found.parameter]]
        read = _READERS[what]
        try:
            return [read(str(entry)) for entry in (value if isinstance(value, list) else [value])]
        except InvalidIdentifierError as error:
            issue = Issue(INVALID_STRUCTURE, found.location, found.parameter, str(error))
            raise refused(self.trail, req.PARAMETERS, [issue]) from None


def _year(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) == 4):  # noqa: PLR2004 - digits of a year
        msg = "a calendar year is 4 digits"
        raise InvalidIdentifierError(msg)
    return text


_READERS = {ENTERPRISE_NUMBER: parse_enterprise_number, SSIN: parse_ssin, YEAR: _year}
