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
ALL = (PARAMETERS, JSON, SCHEMA, KNOWN)
