"""Downloads the packages of the registry once, with the ordinary clients, and unpacks the contracts in them."""

import gzip
import hashlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from filelock import FileLock

from tests.contracts.registry import CONTRACTS, Package, ThirdParty

HERE = Path(__file__).parent / ".packages"
_SECONDS = 300


class UnavailableError(Exception):
    """The packages could not be had; says why."""


def path_of(contract: ThirdParty) -> Path:
    """Return where a contract lies, once `fetch` was called."""
    return _folder(contract.package) / contract.file.removesuffix(".gz")


def fetch() -> None:
    """Download what is not there yet, check its digest, and unpack it. Raises `UnavailableError`."""
    HERE.mkdir(exist_ok=True)
    with FileLock(HERE / "lock"):
        missing = {
            contract.package: [one for one in CONTRACTS if one.package == contract.package]
            for contract in CONTRACTS
            if not path_of(contract).exists()
        }
        if not missing:
            return
        with _scratch() as scratch:
            _download([package for package in missing if package.index == "npm"], scratch)
            _download([package for package in missing if package.index == "pypi"], scratch)
            for package, contracts in missing.items():
                archive, unpacked = _checked(package, scratch), scratch / "unpacked"
                for contract in contracts:
                    _unpack(archive, contract, unpacked)
                # All of it or nothing, so that what was interrupted is done again.
                shutil.rmtree(_folder(package), ignore_errors=True)
                unpacked.rename(_folder(package))


def _folder(package: Package) -> Path:
    return HERE / f"{_flat(package.name)}-{package.version}"


def _flat(name: str) -> str:
    return name.removeprefix("@").replace("/", "-")


@contextmanager
def _scratch() -> Iterator[Path]:
    folder = HERE / "download"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _download(packages: list[Package], folder: Path) -> None:
    if not packages:
        return
    if packages[0].index == "npm":
        # Packed, not installed: what these packages depend on is of no use here, and no script of theirs runs.
        names = [f"{package.name}@{package.version}" for package in packages]
        command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), *names]
    else:
        wanted = folder / "requirements.txt"
        lines = (f"{package.name}=={package.version} --hash=sha256:{package.digest}\n" for package in packages)
        wanted.write_text("".join(lines), encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command = [*pip, "--only-binary", ":all:", "--require-hashes", "-r", str(wanted), "-d", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
    except FileNotFoundError:
        msg = f"{command[0]} is not installed: .ci/install-system installs it"
        raise UnavailableError(msg) from None
    except subprocess.CalledProcessError as error:
        told = error.stderr.decode(errors="replace").strip().splitlines()
        msg = f"{' '.join(command[:3])} failed: {' '.join(told[-3:]) or f'exit code {error.returncode}'}"
        raise UnavailableError(msg) from None
    except subprocess.TimeoutExpired:
        msg = f"{' '.join(command[:3])} took more than {_SECONDS} seconds"
        raise UnavailableError(msg) from None


def _checked(package: Package, folder: Path) -> Path:
    """Return the archive of a package. A digest that differs is no want of a network, and fails the tests anywhere."""
    if package.index == "npm":
        archive = folder / f"{_flat(package.name)}-{package.version}.tgz"
        digest = hashlib.sha512(archive.read_bytes()).hexdigest()
    else:
        archive = next(folder.glob(f"{package.name.replace('-', '_')}-{package.version}-*.whl"))
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != package.digest:
        msg = f"{package.name} {package.version}: expected the digest {package.digest}, came {digest}"
        raise ValueError(msg)
    return archive


def _unpack(archive: Path, contract: ThirdParty, target: Path) -> None:
    """Unpack a contract's file, and those in its folder."""
    for name, data in _members(archive):
        is_below = contract.folder and PurePosixPath(name).is_relative_to(contract.folder)
        if name != contract.file and not is_below:
            continue
        path = target / name.removesuffix(".gz")
        if not path.resolve().is_relative_to(target.resolve()):
            msg = f"{archive.name} has a file outside itself: {name}"
            raise ValueError(msg)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.decompress(data) if name.endswith(".gz") else data)


def _members(archive: Path) -> Iterable[tuple[str, bytes]]:
    """Yield the files of an archive by their place in the package."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                if not name.endswith("/"):
                    yield name, wheel.read(name)
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() else None
            if file is not None:
                yield member.name.partition("/")[2], file.read()
