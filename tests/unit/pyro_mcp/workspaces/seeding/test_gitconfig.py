import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyro_mcp.workspaces.seeding.gitconfig import clean_url, parse_config, seed_config

USUAL = b"""\
[core]
\trepositoryformatversion = 0
\tfilemode = true
; a comment
[remote "origin"] # another
\turl = "https://example.org/a b.git"
\tfetch = +refs/heads/*:refs/remotes/origin/*
[branch "with \\"quotes\\" and \\\\"]
\tremote = origin
\tmerge = refs/heads/x ; why
[alias]
\tlong = one \\
two
\tbare
[Section.Sub]
\tKey = "a\\tb" c\\n
"""


def as_git_reads(directory: Path, text: bytes) -> list[tuple[bytes, bytes]]:
    path = directory / "config"
    path.write_bytes(text)
    done = subprocess.run(
        ["git", "config", "--no-includes", "-z", "--list", "-f", str(path)], check=True, capture_output=True
    )
    return [
        (name, value)
        for name, _, value in (entry.partition(b"\n") for entry in done.stdout.split(b"\0")[:-1])
    ]


def as_we_read(text: bytes) -> list[tuple[bytes, bytes]]:
    return [
        (
            b".".join(part for part in (s.section, s.subsection, s.key) if part is not None),
            b"" if s.value == b"true" else s.value,
        )
        for s in parse_config(text)
    ]


def test_a_usual_configuration_is_read_as_git_reads_it(tmp_path: Path) -> None:
    expected = [(name, b"" if value == b"true" else value) for name, value in as_git_reads(tmp_path, USUAL)]
    assert as_we_read(USUAL) == expected


@given(st.binary(max_size=200) | st.text(alphabet='[]"\\\n=#; ab', max_size=60).map(str.encode))
def test_no_text_is_too_odd_to_be_read(text: bytes) -> None:
    parse_config(text)
    seed_config(text)


VALUES = st.text(alphabet='ab \t"\\#;=[]\né', max_size=12).map(str.encode)


@settings(max_examples=40, deadline=None)
@given(url=VALUES, name=VALUES.filter(lambda name: name and b"\n" not in name))
def test_what_we_write_is_read_by_git_as_it_was_meant(
    url: bytes, name: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    quoted = name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    escaped = url.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n").replace(b"\t", b"\\t")
    written = seed_config(b'[remote "%s"]\n\turl = https://x/\n\tfetch = "%s"\n' % (quoted, escaped))
    found = as_git_reads(tmp_path_factory.getbasetemp(), written)
    assert (b"remote." + name + b".fetch", url) in found


HOSTILE = b"""\
[core]
\tfsmonitor = touch /tmp/canary
\tworktree = /etc
\thooksPath = /tmp/hooks
\tsshCommand = touch /tmp/canary
\tpager = touch /tmp/canary
\teditor = touch /tmp/canary
\texcludesFile = /etc/shadow
\tattributesFile = /etc/shadow
\tautocrlf = input
[include]
\tpath = /etc/shadow
[includeIf "gitdir:/"]
\tpath = /etc/shadow
[filter "lfs"]
\tclean = touch /tmp/canary
[credential]
\thelper = store
[http "https://example.org"]
\textraheader = Authorization: secret
[url "https://user:secret@example.org/"]
\tinsteadOf = https://example.org/
[remote "origin"]
\turl = https://user:secret@example.org/x.git
\tpushurl = https://user:secret@example.org/x.git
\tuploadpack = touch /tmp/canary
\tproxy = http://user:secret@proxy
[remote "runs"]
\turl = ext::touch /tmp/canary
[branch "main"]
\tremote = origin
\tmerge = refs/heads/main
[user]
\tname = somebody
[alias]
\tst = !touch /tmp/canary
"""


def test_nothing_that_runs_points_out_or_is_secret_gets_into_a_seed(tmp_path: Path) -> None:
    written = as_git_reads(tmp_path, seed_config(HOSTILE))
    assert dict(written) == {
        b"core.repositoryformatversion": b"0",
        b"core.filemode": b"true",
        b"core.bare": b"false",
        b"core.logallrefupdates": b"true",
        b"core.checkstat": b"minimal",
        b"core.trustctime": b"false",
        b"core.autocrlf": b"input",
        b"remote.origin.url": b"https://example.org/x.git",
        b"branch.main.remote": b"origin",
        b"branch.main.merge": b"refs/heads/main",
    }


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        (b"https://example.org/a.git", b"https://example.org/a.git"),
        (b"https://user:token@example.org/a.git", b"https://example.org/a.git"),
        (b"https://token@example.org/a.git?access_token=x#y", b"https://example.org/a.git"),
        (b"https://a@b:c@example.org:8443/p@q", b"https://example.org:8443/p@q"),
        (b"ssh://git@example.org/a.git", b"ssh://git@example.org/a.git"),
        (b"ssh://me:pass@example.org:22/a.git", b"ssh://example.org:22/a.git"),
        (b"git@example.org:a/b.git", b"git@example.org:a/b.git"),
        (b"me@example.org:a/b.git", b"example.org:a/b.git"),
        (b"../other", b"../other"),
        (b"/srv/a@b", b"/srv/a@b"),
        (b"ext::sh -c whoami", None),
    ],
)
def test_addresses_lose_their_credentials(url: bytes, clean: bytes | None) -> None:
    assert clean_url(url) == clean
