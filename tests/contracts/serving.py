"""Serves a contract as a further service behind the channel, in this process."""

from pathlib import Path

from mock_server.settings import Settings
from tests.contracts.calls import Sent
from tests.contracts.packages import path_of
from tests.contracts.registry import ThirdParty
from tests.support import Caller, Reply, start, write_world

_WORLD = """
[[enterprises]]
number = "1999000150"
name = "Employer"
capacities = ["employer"]

[[accounts]]
name = "caller"
client_id = "caller"
enterprise = "1999000150"
capacity = "employer"
permissions = ["{name}"]
certificates = [{{ file = "rsa-2048.cer" }}]

[services.{name}]
contract = "{file}"
base_path = "/REST/{name}/v1"
"""


class Served:
    """A mock server with a contract."""

    def __init__(self, contract: ThirdParty, folder: Path) -> None:
        self.name = contract.name
        self.base_path = f"/REST/{contract.name}/v1"
        world = write_world(folder, _WORLD.format(name=contract.name, file=path_of(contract)))
        self.caller: Caller = start(Settings(world=str(world), keys=folder / "keys"))
        self._authorization = {"Authorization": f"Bearer {self.caller.token('caller')}"}

    def close(self) -> None:
        """Let the mock go."""
        self.caller.mock.close()

    def operations(self) -> set[tuple[str, str]]:
        """Return method and path of all that is served."""
        named = self.caller.mock.channel.apis
        contract = next(contract for api, contract in named if api.service == self.name)
        return {(operation.method, operation.template) for operation in contract.operations}

    def send(self, sent: Sent) -> Reply:
        """Send a call with the token of an employer."""
        headers = {name: value for name, value in sent.headers.items() if name.lower() != "authorization"}
        return self.caller.call(sent.method, f"{self.base_path}{sent.target}", sent.body, headers | self._authorization)
