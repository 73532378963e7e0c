"""What the token endpoint leaves to choose: one object, three presets.

Every field says how well its default is known. The real endpoint's behaviour is not public on most of them, so
nothing here is a statement about the real one unless its provenance is `documented`.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from mock_server.verdict import Provenance

RSA_PKCS1 = ("RS256", "RS384", "RS512")
RSA_PSS = ("PS256", "PS384", "PS512")
ECDSA = ("ES384", "ES512")
SIGNATURE_ALGORITHMS = (*RSA_PKCS1, *RSA_PSS, *ECDSA)

Preset = Literal["documented", "lenient", "strict"]


def _setting(default: Any, provenance: Provenance, source: str, description: str, **limits: Any) -> Any:  # noqa: ANN401 - stands where pydantic's Field does
    return Field(
        default,
        description=description,
        json_schema_extra={"provenance": provenance.value, "source": source},
        **limits,
    )


class Policy(BaseModel):
    """The choices of one token endpoint. Times are in seconds, sizes in bytes or characters as said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_lifetime: int = _setting(
        600,
        Provenance.DOCUMENTED,
        "G§6.1 (public clients exceed it, so the real endpoint may not enforce it)",
        "Longest time from now to `exp`.",
        gt=0,
    )
    clock_skew: int = _setting(
        30,
        Provenance.ASSUMED,
        "RFC 7519 §4.1.4 allows “some small leeway”",
        "How far `exp`, `nbf` and `iat` may be off.",
        ge=0,
        le=3600,
    )
    invalid_client_status: Literal[400, 401] = _setting(
        400,
        Provenance.ASSUMED,
        "RFC 6749 §5.2: 400, and 401 MAY be used",
        "HTTP status of `invalid_client`.",
    )
    no_permission_error: Literal["unauthorized_client", "invalid_scope"] = _setting(
        "unauthorized_client",
        Provenance.ASSUMED,
        "RFC 6749 §5.2",
        "Error for an account without any permission.",
    )
    missing_assertion_error: Literal["invalid_client", "invalid_request"] = _setting(
        "invalid_client",
        Provenance.ASSUMED,
        "RFC 6749 §5.2; servers differ",
        "Error for a missing or wrong `client_assertion_type`, or a missing `client_assertion`.",
    )
    media_type_status: Literal[400, 415] = _setting(
        400,
        Provenance.ASSUMED,
        "RFC 6749 §5.2: 400; RFC 9110 §15.5.16: 415",
        "HTTP status for a body that is not a form.",
    )
    algorithms: tuple[Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES384", "ES512"], ...] = _setting(
        (*RSA_PKCS1, *ECDSA),
        Provenance.ASSUMED,
        "RS256: G§7.2; ES384 and ES512 follow from the certificates of G§4.4.1; the others are not known",
        "Algorithms an assertion may be signed with, if the registered key fits.",
        min_length=1,
    )
    audience_array: bool = _setting(
        True,  # noqa: FBT003 - the value of the setting
        Provenance.RFC,
        "RFC 7519 §4.1.3 (every known client sends a string)",
        "Whether `aud` may be an array that holds the one audience.",
    )
    extra_audiences: tuple[str, ...] = _setting(
        (),
        Provenance.ASSUMED,
        "G§6.1 lists an audience URL apart from the token endpoint; its value is not public",
        "Audiences accepted beside the token URL.",
    )
    refuse_replay: bool = _setting(
        True,  # noqa: FBT003 - the value of the setting
        Provenance.ASSUMED,
        "RFC 7523 §3 item 7: MAY",
        "Whether a `jti` that was used is refused until its assertion has expired.",
    )
    max_jti_length: int = _setting(
        256,
        Provenance.ASSUMED,
        "no limit is known; the longest seen is 44 characters",
        "Longest `jti`, in characters.",
        ge=128,
    )
    types: tuple[str, ...] = _setting(
        ("JWT", "client-authentication+jwt"),
        Provenance.ASSUMED,
        "RFC 7519 §5.1; RFC 8725 §3.11",
        "Values of the header `typ`, compared without case; leaving it out is always fine.",
    )
    access_token_lifetime: int = _setting(
        600,
        Provenance.ASSUMED,
        "Belgif rest-security: a few minutes at most; one client falls back to 600",
        "`expires_in` of an access token.",
        gt=0,
    )
    max_form_bytes: int = _setting(
        65_536, Provenance.ASSUMED, "a limit of ours", "Largest body of a token request, in bytes.", ge=4_096
    )
    max_form_parameters: int = _setting(
        50, Provenance.ASSUMED, "a limit of ours", "Most parameters of a token request.", ge=6
    )
    max_assertion_length: int = _setting(
        16_384, Provenance.ASSUMED, "a limit of ours", "Longest assertion, in characters.", ge=2_048
    )
    body_timeout: float = _setting(10.0, Provenance.ASSUMED, "a limit of ours", "Longest wait for a whole body.", gt=0)

    @classmethod
    def preset(cls, name: Preset = "documented", **changes: Any) -> Self:  # noqa: ANN401 - values are validated
        """Return a preset with some fields changed. Raises pydantic's `ValidationError`."""
        return cls(**(_PRESETS[name] | changes))


# Older versions of the endpoint, and issuer-like values that public clients send.
OLDER_AUDIENCES = (
    "https://oauth.socialsecurity.be",
    "https://oauthacc.socialsecurity.be",
    "https://oauthint.socialsecurity.be",
    "https://oauth-v4.acc.pub.socialsecurity.be",
    "https://oauth-v5.acc.pub.socialsecurity.be",
    "https://oauth-v5.acc.socialsecurity.be",
    "https://services.socialsecurity.be/REST/oauth/v3/token",
    "https://services-acpt.socialsecurity.be/REST/oauth/v3/token",
    "https://services-int.socialsecurity.be/REST/oauth/v3/token",
    "https://services-acpt.socialsecurity.be/REST/oauth/v4/token",
)

_PRESETS: dict[str, dict[str, Any]] = {
    "documented": {},
    "lenient": {
        "max_lifetime": 100_000,
        "extra_audiences": OLDER_AUDIENCES,
        "algorithms": (*RSA_PKCS1, *RSA_PSS, *ECDSA),
    },
    "strict": {"algorithms": ("RS256", *ECDSA), "audience_array": False, "types": ("JWT",)},
}
