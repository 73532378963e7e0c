"""The requirements that a contract puts on the input of a call."""

from mock_server.verdict import Provenance, Requirement

PARAMETERS = Requirement(
    "API-PARAM-1",
    "Path, query and header parameters are valid by the contract, and their check digits fit.",
    "Belgif rest-guide, rule req-valid",
    Provenance.PLATFORM,
)
JSON = Requirement("API-BODY-1", "The body is JSON that means one thing.", "RFC 8259 §4, §8.1", Provenance.PLATFORM)
SCHEMA = Requirement(
    "API-BODY-2", "The body is valid by the contract.", "Belgif rest-guide, rule req-valid", Provenance.PLATFORM
)
KNOWN = Requirement(
    "API-RESOURCE-1",
    "There is something to read at this path.",
    "Belgif rest-guide, resourceNotFound",
    Provenance.PLATFORM,
)
FREE = Requirement(
    "API-RESOURCE-2",
    "A new member of a collection has an identifier that no other has.",
    "Belgif rest-guide, POST: 409",
    Provenance.PLATFORM,
)
FITTING = Requirement(
    "API-RESOURCE-3",
    "What comes of a merge patch is valid by the contract, and a new member says who or what it is where it has to.",
    "RFC 7396 §2; Belgif rest-guide, PATCH",
    Provenance.PLATFORM,
)
ACCEPT = Requirement(
    "API-ACCEPT-1",
    "The client accepts a media type that the operation answers.",
    "RFC 9110 §12.5.1",
    Provenance.PLATFORM,
)
ANSWER = Requirement(
    "API-ANSWER-1",
    "The server's answer is valid by the contract.",
    "the contract (a failure is the mock's own)",
    Provenance.PLATFORM,
)
ALL = (PARAMETERS, ACCEPT, JSON, SCHEMA, KNOWN, FREE, FITTING, ANSWER)
