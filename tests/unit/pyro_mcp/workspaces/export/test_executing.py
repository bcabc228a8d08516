"""Which paths are refused because the host would execute them."""

from pathlib import Path

import pytest

from pyro_mcp.errors import PolicyDenied
from pyro_mcp.workspaces.export.executing import refuse_executing


@pytest.mark.parametrize(
    "path",
    [
        ".git", ".git/hooks/pre-commit", "sub/.git/config", ".GIT/config", ".envrc", "deep/down/.envrc", ".vscode/tasks.json",
        ".VSCode/Tasks.json", "x.code-workspace", ".idea/runConfigurations/a.xml", ".husky/pre-push", ".mcp.json", ".npmrc",
        ".cargo/config.toml", ".run/a.run.xml", ".mise.local.toml", ".git\n/../.git/config",
    ],
)  # fmt: skip
def test_what_the_host_executes_is_refused(path: str) -> None:
    with pytest.raises(PolicyDenied) as refused:
        refuse_executing([b"src/a.py", path.encode()], b"/srv/out", ())
    assert refused.value.details


@pytest.mark.parametrize(
    "path",
    [
        "Makefile",
        "gitignore",
        ".gitignore",
        ".github/workflows/ci.yml",
        "envrc",
        ".vscode/extensions.json",
        "x.envrc",
        ".bashrc",
        "bin/x",
    ],
)
def test_what_is_only_looked_at_is_not(path: str) -> None:
    refuse_executing([path.encode()], b"/srv/out", ())


def test_the_place_counts_not_only_the_name() -> None:
    with pytest.raises(PolicyDenied):
        refuse_executing([b"pre-commit"], b"/srv/repository/.git/hooks", ())
    with pytest.raises(PolicyDenied):
        refuse_executing([b""], b"/srv/.envrc", ())


def test_a_shell_reads_its_files_in_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/somebody"))
    for path in (b".bashrc", b".config/autostart/x.desktop", b"bin/git"):
        with pytest.raises(PolicyDenied):
            refuse_executing([path], b"/home/somebody", ())
        refuse_executing([path], b"/home/somebody/project", ())


def test_a_directory_that_git_would_take_for_a_repository_is_refused() -> None:
    bare = [b"r/HEAD", b"r/objects", b"r/refs", b"r/config"]
    with pytest.raises(PolicyDenied):
        refuse_executing(bare, b"/srv/out", ())
    refuse_executing(bare[1:], b"/srv/out", ())


def test_named_paths_are_allowed_and_no_others() -> None:
    refuse_executing([b".envrc", b".vscode/tasks.json"], b"/srv/out", (".envrc", ".vscode/"))
    with pytest.raises(PolicyDenied):
        refuse_executing([b"sub/.envrc"], b"/srv/out", (".envrc",))
