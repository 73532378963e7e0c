"""The requirements that the gateway puts on every call of an API."""

from mock_server.verdict import Provenance, Requirement


def _platform(identity: str, source: str, statement: str) -> Requirement:
    return Requirement(identity, statement, source, Provenance.PLATFORM)


ROUTE = _platform("GW-ROUTE-1", "Belgif rest-guide, resourceNotFound", "The path is one that the API has.")
METHOD = _platform("GW-METHOD-1", "RFC 9110 §15.5.6", "The method is one that the path has.")
TOKEN_PRESENT = _platform(
    "GW-TOKEN-1",
    "developer guide; RFC 6750 §2.1",
    "The access token is sent as Bearer in the Authorization header.",
)
TOKEN_ONE_WAY = _platform("GW-TOKEN-2", "RFC 6750 §2", "The access token is sent in one way only.")
TOKEN_VALID = _platform(
    "GW-TOKEN-3", "developer guide; Belgif invalidAccessToken", "The access token is one that this server issued."
)
TOKEN_FRESH = _platform("GW-TOKEN-4", "Belgif expiredAccessToken", "The access token has not expired.")
SCOPE = _platform("GW-SCOPE-1", "Belgif missingScope", "The access token has a scope that the operation asks for.")
SIZE = _platform("GW-SIZE-1", "Belgif payloadTooLarge", "The body is not larger than the limit.")
COMPLETE = Requirement(
    "GW-BODY-1", "The whole body arrives within the time limit.", "a limit of ours", Provenance.ASSUMED
)
MEDIA_TYPE = _platform(
    "GW-MEDIA-1", "Belgif rest-guide, media types", "The body is of a media type that the operation accepts, in UTF-8."
)

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Requirement))
