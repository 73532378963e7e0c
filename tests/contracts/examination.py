"""Calls every operation of a contract with valid and with invalid input, and judges the answers.

A valid call is answered with a success. What it is about may have to be there first: a 404 is judged too, then what the
contract has for making it (a PUT at its path, a POST on its collection) is called, and then the call has to succeed. A
404 stands only for what was removed before, or what cannot be made under the one name that the contract allows; a 409
only for a member that was added before under the same name. A call that breaks the contract in one place is refused,
with a status from 400 to 499.
"""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.contracts.breaking import Breaking
from tests.contracts.calls import Sent
from tests.contracts.documents import Document
from tests.contracts.drawing import Drawing
from tests.contracts.judge import Judge
from tests.contracts.packages import path_of
from tests.contracts.registry import Judged, ThirdParty
from tests.contracts.serving import Served
from tests.support import Reply

_CREATED = 300


@dataclass
class Report:
    """What came of judging a contract: each fault says what was asked, what was answered, and what is wrong with it."""

    faults: list[str] = field(default_factory=list)
    valid: int = 0
    invalid: int = 0
    unconstrained: list[str] = field(default_factory=list)
    operations: int = 0

    @property
    def judged(self) -> Judged:
        """The counts."""
        return Judged(self.operations, self.valid, self.invalid, len(self.unconstrained))


class Examination:
    """Calls every operation with valid and with invalid input."""

    def __init__(self, served: Served, drawing: Drawing, document: Document) -> None:
        self._served = served
        self._drawing = drawing
        self._breaking = Breaking(document)
        self._judge = Judge(document)
        self._removed: set[str] = set()
        self.report = Report()
        self._made: dict[str, str] = {}
        """A member of each collection that something was added to, by the collection's path."""
        # What is removed stays removed, and what is below it: it is removed last, and the deepest first.
        self._operations = sorted(
            document.operations(), key=lambda one: (one[0] == "DELETE", -one[1].count("/") * (one[0] == "DELETE"))
        )
        self._known = set(self._operations)
        self._good: dict[tuple[str, str], list[Sent]] = {}

    def run(self) -> Report:
        """Judge every operation."""
        for operation in self._operations:
            self.report.operations += 1
            good = self._drawn(operation)
            if not good:
                self.report.faults.append(f"{' '.join(operation)}: no valid call could be made")
                continue
            for sent in good:
                self._valid(sent)
            broken = list(self._breaking.broken(good[0]))
            if not broken:
                self.report.unconstrained.append(" ".join(operation))
            for sent in broken:
                self._refused(sent)
            unknown = self._breaking.unknown_query(good[0])
            if unknown is not None:
                self._refused(unknown, counts=False)
        return self.report

    def _drawn(self, operation: tuple[str, str]) -> list[Sent]:
        if operation not in self._good:
            self._good[operation] = self._drawing.drawn(*operation)
        return self._good[operation]

    def _valid(self, sent: Sent) -> None:
        reply = self._served.send(sent)
        if reply.status == 404:
            self._judged(sent, reply)
            made = self._with_all_made(sent)
            if self._drawing.is_valid(made):
                sent, reply = made, self._served.send(made)
            else:
                self.report.valid += 1
                return
        is_gone = reply.status == 404 and sent.path in self._removed
        is_there = reply.status == 409 and sent.path in self._made
        if is_gone or is_there:
            self._judged(sent, reply)
        elif reply.status >= 400:
            self._fault(sent, reply, ["expected a success"])
        else:
            self._judged(sent, reply)
            self._note(sent, reply)
        self.report.valid += 1

    def _with_all_made(self, sent: Sent) -> Sent:
        """Make what a call is about, and what that is below; return the call with the identifiers that were given."""
        names = sent.template.strip("/").split("/")
        segments = sent.path.strip("/").split("/")
        for length in range(1, len(names) + 1 if sent.method != "PUT" else len(names)):
            template = f"/{'/'.join(names[:length])}"
            above = template.rpartition("/")[0]
            if ("PUT", template) in self._known:
                self._make(("PUT", template), segments[:length])
            elif names[length - 1].startswith("{") and ("POST", above) in self._known:
                segments[length - 1] = self._make(("POST", above), segments[: length - 1]) or segments[length - 1]
        return sent.with_path(f"/{'/'.join(segments)}")

    def _make(self, operation: tuple[str, str], segments: list[str]) -> str | None:
        """Call what makes a resource, and return the identifier that it got, or that of another in its collection."""
        drawn = self._drawn(operation)
        path = f"/{'/'.join(segments)}"
        if not drawn or path in self._made:
            return self._made.get(path)
        made = drawn[0].with_path(path)
        reply = self._served.send(made)
        if reply.status >= _CREATED:
            self._fault(made, reply, ["expected a success, so that others find something"])
        else:
            self._note(made, reply)
        return self._made.get(path)

    def _note(self, sent: Sent, reply: Reply) -> None:
        """Keep in mind what was removed, and what was added where."""
        if sent.method == "DELETE":
            self._removed.add(sent.path)
            collection, _, identifier = sent.path.rpartition("/")
            if self._made.get(collection) == identifier:
                del self._made[collection]
        elif sent.method == "POST" and "location" in reply.headers:
            url = urlsplit(reply.headers["location"]).path
            collection, _, identifier = url.removeprefix(self._served.base_path).rpartition("/")
            if collection == sent.path:
                self._made[sent.path] = identifier

    def _refused(self, sent: Sent, *, counts: bool = True) -> None:
        reply = self._served.send(sent)
        if not 400 <= reply.status < 500:
            self._fault(sent, reply, [f"expected a refusal: {sent.what}"])
        else:
            self._judged(sent, reply)
        self.report.invalid += counts

    def _judged(self, sent: Sent, reply: Reply) -> None:
        found = self._judge.faults(sent.method, sent.template, reply.status, reply.headers, reply.body)
        if found:
            self._fault(sent, reply, found)

    def _fault(self, sent: Sent, reply: Reply, found: list[str]) -> None:
        asked = f"{sent.method} {sent.target[:300]} ({sent.template}) {sent.body[:300]!r}"
        checks = self._served.caller.exchanges[-1].trail.checks
        trail = [f"{check.requirement.id}: {check.found}" for check in checks if check.outcome == "failed"]
        error = self._served.caller.exchanges[-1].error or ""
        self.report.faults.append(
            f"{asked}\n  → {reply.status} {reply.body[:300]!r} {error} {trail}\n  {'; '.join(found)}"
        )


def examined(contract: ThirdParty, folder: Path) -> Report:
    """Serve a contract, and judge every operation; the folder is for what is needed for that."""
    document = Document(path_of(contract))
    copies = folder / "contract"
    copies.mkdir()
    served = Served(contract, folder)
    try:
        return Examination(served, Drawing(contract, document, copies), document).run()
    finally:
        served.close()
