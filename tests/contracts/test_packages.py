"""What is downloaded for the contracts of others is what was pinned, and nothing is written outside its folder."""

import gzip
import hashlib
import io
import shutil
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contracts import packages
from tests.contracts.registry import CONTRACTS, Judged, Package, ThirdParty

_NPM = Package("npm", "@scope/thing", "1.0.0", "", "MIT")
_CONTRACT = ThirdParty("thing", _NPM, "spec/thing.json.gz", "Thing", "3.0", Judged(1, 1, 1, 0), folder="spec")


def _tar(folder: Path, **files: bytes) -> Path:
    """Write an archive as npm's; the names are below its folder `package`, with slashes for two underscores."""
    path = folder / "scope-thing-1.0.0.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/{name.replace('__', '/')}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def test_an_archive_with_the_pinned_digest_is_taken(tmp_path: Path) -> None:
    """The digest of an npm archive is SHA-512, that of a wheel SHA-256."""
    archive = _tar(tmp_path, a=b"1")
    wheel = tmp_path / "a_thing-1.0.0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    npm = replace(_NPM, digest=hashlib.sha512(archive.read_bytes()).hexdigest())
    pypi = Package("pypi", "a-thing", "1.0.0", hashlib.sha256(b"wheel").hexdigest(), "MIT")

    assert packages._checked(npm, tmp_path) == archive
    assert packages._checked(pypi, tmp_path) == wheel


def test_an_archive_of_another_digest_is_refused(tmp_path: Path) -> None:
    """What differs from the pin is named with both digests."""
    _tar(tmp_path, a=b"1")

    with pytest.raises(ValueError, match="expected the digest 00, came "):
        packages._checked(replace(_NPM, digest="00"), tmp_path)


def test_a_contract_and_its_folder_are_unpacked(tmp_path: Path) -> None:
    """The file, what is compressed in it, and the files beside it are there; others of the archive are not."""
    archive = _tar(tmp_path, **{"spec/thing.json.gz": gzip.compress(b"{}"), "spec/part": b"part", "other": b"other"})

    packages._unpack(archive, _CONTRACT, tmp_path / "unpacked")

    assert (tmp_path / "unpacked" / "spec" / "thing.json").read_bytes() == b"{}"
    unpacked = [path.name for path in (tmp_path / "unpacked").rglob("*") if path.is_file()]
    assert sorted(unpacked) == ["part", "thing.json"]


def test_a_wheel_is_unpacked(tmp_path: Path) -> None:
    """A wheel has its files by their own names."""
    wheel = tmp_path / "thing.whl"
    with zipfile.ZipFile(wheel, "w") as writer:
        writer.mkdir("thing")
        writer.writestr("thing/api.yaml", "a")
        writer.writestr("thing/more.yaml", "b")
    contract = replace(_CONTRACT, file="thing/api.yaml", folder="")

    packages._unpack(wheel, contract, tmp_path / "unpacked")

    assert [path.name for path in (tmp_path / "unpacked" / "thing").iterdir()] == ["api.yaml"]


def test_a_file_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    """An archive cannot write anywhere else."""
    archive = _tar(tmp_path, **{"spec/../../../../thief": b"1"})

    with pytest.raises(ValueError, match="a file outside itself"):
        packages._unpack(archive, _CONTRACT, tmp_path / "unpacked")
    assert not (tmp_path / "thief").exists()


@pytest.mark.parametrize(
    ("path", "told"), [("", "npm is not installed"), ("failing", "npm pack --silent failed: no such package")]
)
def test_what_cannot_be_downloaded_is_told(
    path: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that is not there, or that fails, is named with what it said last."""
    programs = tmp_path / "failing"
    programs.mkdir()
    npm = programs / "npm"
    npm.write_text("#!/bin/sh\necho no such package >&2\nexit 3\n", encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / path}:/usr/bin:/bin" if path else str(tmp_path / "empty"))

    with pytest.raises(packages.UnavailableError, match=told):
        packages._download([_NPM], tmp_path)


def test_every_package_is_pinned() -> None:
    """Every package has a version, a digest of its index's kind and a licence that lets anybody use it."""
    lengths = {"npm": 128, "pypi": 64}
    for package in {contract.package for contract in CONTRACTS}:
        assert len(package.digest) == lengths[package.index], package.name
        assert package.licence in {"MIT", "ISC", "Apache-2.0", "BSD-3-Clause"}, package.name


def test_what_is_missing_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The packages are downloaded when one of their contracts is not there, and not again."""
    digest = hashlib.sha512(_tar(tmp_path, **{"spec/thing.json.gz": gzip.compress(b"{}")}).read_bytes()).hexdigest()
    asked: list[list[Package]] = []

    def download(wanted: list[Package], folder: Path) -> None:
        asked.append(wanted)
        for _ in wanted:
            shutil.copy(tmp_path / "scope-thing-1.0.0.tgz", folder)

    contract = replace(_CONTRACT, package=replace(_NPM, digest=digest))
    monkeypatch.setattr(packages, "HERE", tmp_path / "here")
    monkeypatch.setattr(packages, "CONTRACTS", (contract,))
    monkeypatch.setattr(packages, "_download", download)

    packages.fetch()
    packages.fetch()

    assert asked == [[contract.package], []]
    assert packages.path_of(contract).read_bytes() == b"{}"
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == ["lock", "scope-thing-1.0.0"]
