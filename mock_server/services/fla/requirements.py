"""The rules of the FLA that its contracts cannot say.

No official rule is public. The two that the platform has for all its APIs (the order of dates, check digits) apply
always; the others are assumed, and are left out where only documented rules are wanted.
"""

from mock_server.verdict import Provenance, Requirement

_OURS = "not known; our choice"


def _assumed(identity: str, statement: str, source: str = _OURS) -> Requirement:
    return Requirement(identity, statement, source, Provenance.ASSUMED)


PERIOD_ORDER = Requirement(
    "FLA-PERIOD-1",
    "A training does not end before it starts.",
    "Belgif rest-guide, issues: invalidPeriod; that both dates are mandatory is said of the web form",
    Provenance.PLATFORM,
)
PERIOD_IN_YEAR = _assumed(
    "FLA-PERIOD-2",
    "A training has a day in the calendar year of the path.",
    "the path of G§7.3.1 has a year; what a date outside it does is not known",
)
PERIOD_OF_REGISTRATION = _assumed(
    "FLA-PERIOD-3",
    "A training that a provider sends has a day in the years 2023 to next year.",
    "the individual right begins in 2023 (law of 3 October 2022); that it is checked is our choice",
)
YEAR = _assumed(
    "FLA-YEAR-1",
    "The calendar year is one from 2023 to next year.",
    "the individual right begins in 2023 (law of 3 October 2022); that it is checked is our choice",
)
DURATION_ABOVE_ZERO = _assumed("FLA-DURATION-1", "The duration is more than 0.")
DURATION_BELIEVABLE = _assumed(
    "FLA-DURATION-2",
    "The duration fits into the period: 24 hours for each of its days at most, and as many days as it has.",
)
CERTIFICATE_PERIOD = _assumed("FLA-CERTIFICATE-1", "A certificate is valid until the training's last day, or longer.")
CERTIFICATE_OBTAINED = _assumed("FLA-CERTIFICATE-2", "Only a certificate that was obtained has a last day of validity.")
SSIN = Requirement(
    "FLA-SSIN-1",
    "The check digits of an SSIN fit; nothing else of it is looked at.",
    "Belgif rest-guide, issues: invalidStructure; G§7.3.1 prints a number that stricter rules refuse",
    Provenance.PLATFORM,
)
ENTERPRISE_NUMBER = Requirement(
    "FLA-ENTERPRISE-1",
    "The check digits of an enterprise number fit, with its leading zero or without.",
    "Belgif rest-guide, issues: invalidStructure; G§7.3.1 prints a number of 9 digits",
    Provenance.PLATFORM,
)
PARTICIPANT_ONCE = _assumed(
    "FLA-PARTICIPANT-1", "A training has no two participants with the same SSIN and the same employer."
)
REFERENCE_KNOWN = _assumed(
    "FLA-REFERENCE-1",
    "A training provider's record that is referred to was sent for this person and this employer.",
    "that employers correct what providers sent: herwin.be, fedustria.be; the reference is ours",
)
REFERENCE_ONCE = _assumed(
    "FLA-REFERENCE-2",
    "A list refers to the same record of a training provider once.",
    "that employers correct what providers sent: herwin.be, fedustria.be; the reference is ours",
)
PLANNED_AHEAD = _assumed("FLA-PLANNED-1", "A planned training does not end in the past (a warning).")
NO_TWINS = _assumed("FLA-TWINS-1", "A list has no two identical trainings (a warning).")
COUNTS_WHEN_FOLLOWED = _assumed(
    "FLA-RIGHT-1", "A training that counts for the individual right was followed (a warning)."
)

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Requirement))
