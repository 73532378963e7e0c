"""The names of the services and APIs that the mock knows, for those who need no more; nothing slow is loaded."""

from mock_server.identifiers import ServiceName

FLA = ServiceName("fla")
DIMONA = ServiceName("dimona")

EMPLOYER_API = "fla-employer"
TRAINING_PROVIDER_API = "fla-training-provider"

FLA_SCOPE = "scope:sigedis:gestion:careerpro-federal-learning-account"
FLA_TRAINING_PROVIDER_SCOPE = f"{FLA_SCOPE}:training-provider"
"""Assumed, in the form of the two others: the cell is blank in the guide's text (G§6.1)."""
