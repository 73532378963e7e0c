"""How the portal refuses: each error is a sentence of what was expected, what came and what to do."""

from collections.abc import Sequence

from mock_server.problems import Issue


class PortalError(Exception):
    """A refusal of the portal."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotFoundError(PortalError):
    """What was asked for is not there; `what` names it, such as `account “my_client”`."""

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no {what}. List what there is, and name one of these.")


class ConflictError(PortalError):
    """What was asked for does not fit with the state of the world."""


class RefusedError(PortalError, ValueError):
    """The input is wrong; `issues` tell each thing that is."""

    def __init__(self, sentence: str, issues: Sequence[Issue] = ()) -> None:
        super().__init__(sentence)
        self.issues = tuple(issues)
