from pathlib import Path

import pytest

from pyro_mcp.environments import sandbox
from pyro_mcp.errors import HostUnfit, InvalidRequest, LimitReached


@pytest.fixture
def unwrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the commands as they are: what namespaces do is the kernel's affair, and not every test host allows them."""
    monkeypatch.setattr(sandbox, "wrapped", lambda argv, *, privileged: list(argv))


def test_root_needs_no_user_namespace() -> None:
    assert sandbox.wrapped(["true"], privileged=True) == [
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", "true"),
    ]
    assert "--map-auto" in sandbox.wrapped(["true"], privileged=False)


@pytest.mark.usefixtures("unwrapped")
def test_every_line_is_handed_on(tmp_path: Path) -> None:
    lines: list[str] = []
    sandbox.run(
        ["sh", "-c", "echo out; echo err >&2; echo $EXTRA"],
        scratch=tmp_path,
        on_line=lines.append,
        settings={"EXTRA": "x"},
    )
    assert lines == ["out", "err", "x"]


@pytest.mark.usefixtures("unwrapped")
def test_only_the_proxy_gets_through_from_the_callers_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://p:1")
    monkeypatch.setenv("AWS_SECRET", "s")
    lines: list[str] = []
    sandbox.run(["env"], scratch=tmp_path, on_line=lines.append)
    names = {line.partition("=")[0] for line in lines}
    assert f"TMPDIR={tmp_path}" in lines
    assert "http_proxy=http://p:1" in lines
    assert "AWS_SECRET" not in names


@pytest.mark.usefixtures("unwrapped")
@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("tar: x: Cannot write: No space left on device", LimitReached),
        ("E: You don't have enough free space in /x/", LimitReached),
        ("unshare: unshare failed: Operation not permitted", HostUnfit),
        ("newuidmap: write to uid_map failed", HostUnfit),
        ("something else", HostUnfit),
    ],
)
def test_a_failure_says_what_to_do_and_what_was_said(
    tmp_path: Path, words: str, error: type[HostUnfit | LimitReached]
) -> None:
    with pytest.raises(error) as caught:
        sandbox.run(["sh", "-c", f'echo "{words}"; exit 3'], scratch=tmp_path)
    assert caught.value.details == words


@pytest.mark.usefixtures("unwrapped")
def test_a_diagnosis_comes_first(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="known"):
        sandbox.run(["false"], scratch=tmp_path, diagnose=lambda _words: InvalidRequest("known"))


def test_missing_tools_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "search_path", lambda: "/nonexistent")
    with pytest.raises(HostUnfit, match="mmdebstrap") as caught:
        sandbox.require_tools("mmdebstrap", "sqfstar")
    assert "apt-get install mmdebstrap squashfs-tools" in (caught.value.hint or "")


def test_a_tree_is_removed_and_an_absent_one_is_none(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "file").touch()
    sandbox.remove_tree(tree)
    sandbox.remove_tree(tree)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("unwrapped")
def test_what_is_fed_arrives_while_the_tool_talks(tmp_path: Path) -> None:
    lines: list[str] = []
    sandbox.run(
        ["sh", "-c", "while read line; do echo $line; done"],
        scratch=tmp_path,
        on_line=lines.append,
        feed=lambda pipe: pipe.writelines(b"%d\n" % number for number in range(50_000)),
    )
    assert lines == [str(number) for number in range(50_000)]


@pytest.mark.usefixtures("unwrapped")
def test_a_tool_that_ends_before_it_has_read_all_says_why(tmp_path: Path) -> None:
    with pytest.raises(LimitReached) as caught:
        sandbox.run(
            ["sh", "-c", "echo No space left on device; exit 1"],
            scratch=tmp_path,
            feed=lambda pipe: pipe.writelines([bytes(1 << 20)]),
        )
    assert caught.value.details == "No space left on device"


@pytest.mark.usefixtures("unwrapped")
def test_a_feed_that_fails_ends_the_tool(tmp_path: Path) -> None:
    def feed(_pipe: object) -> None:
        raise InvalidRequest("no more")

    with pytest.raises(InvalidRequest, match="no more"):
        sandbox.run(["sh", "-c", "cat; exec sleep 600"], scratch=tmp_path, feed=feed)
