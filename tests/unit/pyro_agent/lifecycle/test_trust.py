import os
from pathlib import Path

from pyro_agent.lifecycle.trust import trust

_ONE = "-----BEGIN CERTIFICATE-----\nb25l\n-----END CERTIFICATE-----\n"
_TWO = "-----BEGIN CERTIFICATE-----\ndHdv\n-----END CERTIFICATE-----\n"
_SHIPPED = "-----BEGIN CERTIFICATE-----\nc2hpcHBlZA==\n-----END CERTIFICATE-----"
_BUNDLE = "etc/ssl/certs/ca-certificates.crt"


def _trust(root: Path, certificates: str) -> None:
    descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY)
    try:
        trust(descriptor, certificates)
    finally:
        os.close(descriptor)


def test_the_store_keeps_what_it_had(tmp_path: Path) -> None:
    (tmp_path / "etc/ssl/certs").mkdir(parents=True)
    (tmp_path / "usr/lib/ssl").mkdir(parents=True)
    (tmp_path / _BUNDLE).write_text(_SHIPPED)
    _trust(tmp_path, _ONE + _TWO)
    assert (tmp_path / _BUNDLE).read_text() == f"{_SHIPPED}\n{_ONE}{_TWO}"
    added = tmp_path / "usr/local/share/ca-certificates"
    assert [file.read_text() for file in sorted(added.iterdir())] == [_ONE, _TWO]
    assert (tmp_path / "usr/lib/ssl/cert.pem").readlink() == Path(f"/{_BUNDLE}")


def test_twice_is_once(tmp_path: Path) -> None:
    _trust(tmp_path, _ONE)
    before = (tmp_path / _BUNDLE).stat()
    _trust(tmp_path, _ONE)
    assert (tmp_path / _BUNDLE).read_text() == _ONE
    assert (tmp_path / _BUNDLE).stat().st_mtime_ns == before.st_mtime_ns


def test_an_environment_without_a_store_gets_one(tmp_path: Path) -> None:
    _trust(tmp_path, _TWO)
    assert (tmp_path / _BUNDLE).read_text() == _TWO
    assert not (tmp_path / "usr/lib/ssl").exists()
