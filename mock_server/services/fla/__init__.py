"""What the FLA adds to the conventions: rules beyond the schema, and how its two APIs meet."""

from mock_server.services.names import EMPLOYER_API, TRAINING_PROVIDER_API

__all__ = ["EMPLOYER_API", "TRAINING_PROVIDER_API"]
