import pytest

from pyro_mcp.workspaces.seeding.sensitive import HEAD, sensitive

KEY = b"-----BEGIN RSA PRIVATE KEY-----\nabc\n"


@pytest.mark.parametrize(
    "path",
    [".env", "a/.ENV", ".env.local", "prod.env", "x/id_ed25519", "server.key", ".ssh/anything", "home/.ssh/deep/key",
     ".aws/config", "a/.docker/config.json", ".netrc", "infra/terraform.tfstate", "secrets.yaml", ".codex/auth.json"],
)  # fmt: skip
def test_likely_secrets_by_name(path: str) -> None:
    assert sensitive().by_name(path.encode())


@pytest.mark.parametrize(
    "path",
    ["env.py", ".env.example", "a/.env.sample", ".env.production.example", "id_rsa.pub", ".ssh/known_hosts", "docker/config.json",
     "keys.py", "secrets.py", "environment", "my.env.d/x", "monkey", "test_credentials.py", "tokenizer.json"],
)  # fmt: skip
def test_harmless_names(path: str) -> None:
    assert not sensitive().by_name(path.encode())


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("notes", KEY),
        ("notes", b"\n\n-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        ("key.asc", b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"),
        ("chain.pem", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n" + KEY),
        ("x.ppk.bak", b"PuTTY-User-Key-File-3: ssh-ed25519\n"),
        ("age", b"# created: now\n# public key: age1x\nAGE-SECRET-KEY-1QQ\n"),
        ("sa.json", b'{"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----"}'),
        (".npmrc", b"//registry.example.org/:_authToken=abc\n"),
    ],
)
def test_likely_secrets_by_content(path: str, content: bytes) -> None:
    assert sensitive().by_content(path.encode(), len(content), content)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("code.py", b'KEY = """' + KEY + b'"""'),
        ("cert.pem", b"-----BEGIN CERTIFICATE-----\nx\n"),
        ("pub.pem", b"-----BEGIN PUBLIC KEY-----\n"),
        (".npmrc", b"registry=https://registry.example.org\n//r/:_authToken=${TOKEN}\n"),
        ("README", b"How to make a -----BEGIN RSA PRIVATE KEY----- file"),
        ("late.pem", b"x" * HEAD + b"\n" + KEY),
        ("empty", b""),
    ],
)
def test_harmless_contents(path: str, content: bytes) -> None:
    assert not sensitive().by_content(path.encode(), len(content), content)


def test_a_large_file_is_no_key() -> None:
    assert not sensitive().by_content(b"x", 1 << 30, KEY)
