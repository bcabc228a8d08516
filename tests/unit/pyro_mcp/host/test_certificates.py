import base64
from pathlib import Path

import pytest

from pyro_mcp.errors import HostUnfit
from pyro_mcp.host.certificates import added_certificates


def _pem(content: str, width: int = 64) -> str:
    body = base64.b64encode(content.encode()).decode()
    lines = "\n".join(body[at : at + width] for at in range(0, len(body), width))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def _write(root: Path, path: str, *certificates: str) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("# a comment\n" + "".join(certificates))
    return file


def test_a_host_that_added_none_hands_none_in(tmp_path: Path) -> None:
    _write(tmp_path, "usr/share/ca-certificates/mozilla/a.crt", _pem("a"))
    _write(tmp_path, "etc/ssl/certs/ca-certificates.crt", _pem("a"))
    assert added_certificates(tmp_path, []) == ""
    assert added_certificates(tmp_path / "nothing", []) == ""


def test_what_was_added_is_found_wherever_it_stands_and_once(tmp_path: Path) -> None:
    _write(tmp_path, "usr/share/ca-certificates/mozilla/a.crt", _pem("a" * 100, 76))
    _write(tmp_path, "usr/local/share/ca-certificates/company.crt", _pem("company"))
    _write(tmp_path, "etc/ssl/certs/ca-certificates.crt", _pem("a" * 100), _pem("company"), _pem("bundled"))
    named = _write(tmp_path, "named.pem", _pem("a" * 100), _pem("named"))
    found = added_certificates(tmp_path, ["", str(named), str(tmp_path / "missing")])
    assert found == _pem("company") + _pem("bundled") + _pem("named")


def test_without_a_list_of_what_is_shipped_only_the_administrators_folder_counts(tmp_path: Path) -> None:
    _write(tmp_path, "etc/pki/ca-trust/source/anchors/company.pem", _pem("company"))
    _write(tmp_path, "etc/ssl/certs/ca-certificates.crt", _pem("shipped"))
    assert added_certificates(tmp_path, []) == _pem("company")


def test_a_private_key_beside_them_stays_here(tmp_path: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
    _write(tmp_path, "usr/local/share/ca-certificates/company.crt", key, _pem("company"))
    assert added_certificates(tmp_path, []) == _pem("company")


def test_more_than_a_guest_can_be_given_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, "usr/local/share/ca-certificates/many.crt", *(_pem(f"{n}" * 500) for n in range(60)))
    with pytest.raises(HostUnfit) as caught:
        added_certificates(tmp_path, [])
    assert "no_host_ca" in str(caught.value.hint)
