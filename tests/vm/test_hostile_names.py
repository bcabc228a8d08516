"""Paths as an attacker would choose them, through every operation that takes one: right or refused, and the host is untouched."""

from collections.abc import Callable
from pathlib import Path

from tests.opened import git, outliving

from pyro_mcp import Edit, Pyro, PyroError, Workspace
from pyro_mcp.environments.values import Environment

pytestmark = outliving
# Not on the workspace's disk, no plain name, too long, or no file: nothing is written there, whatever leads there.
_NOWHERE = (
    "", ".", "..", "/", "/workspace", "/workspace/..", "a/../..", "/proc/self/mem", "/proc/1/root/x", "/sys/x", "/dev/null",
    "/dev/x", "to-proc/x", "to-dev/null", "loop/x", "pipe/x", "nul\0byte", "x" * 256, "x/" * 3000 + "x", "half\ud800",
)  # fmt: skip
_ABOVE = ("..", "/workspace/..")
_ODD = (
    "new\nline",
    " lead",
    "-rf",
    "ünï",
    "tab\t",
    "*?[",
    "quo\"te'",
    "a\\b",
    "%2e%2e",
    "~",
    "$(id)",
    "C:\\x",
    "b\udcff",
)
_REFUSALS = ("invalid_request", "not_found", "conflict")


def test_a_path_is_right_or_refused(environment: Environment, tmp_path: Path) -> None:
    with Pyro().workspace.create() as workspace:
        workspace.exec(
            "ln -s /proc to-proc; ln -s /dev to-dev; ln -s loop loop; mkfifo pipe; ln -s ../../../../../etc/up up; ln -s / top"
        )
        before = _state(workspace)
        for path in _NOWHERE:
            _refused_everywhere(workspace, path, tmp_path)
        assert _state(workspace) == before
        _links_lead_nowhere_else(workspace, tmp_path)
        _odd_names_are_names(workspace, tmp_path)


def _refused_everywhere(workspace: Workspace, path: str, host: Path) -> None:
    here = host / "pushed"
    here.mkdir(exist_ok=True)
    (here / "x").write_text("x")
    tries: dict[str, Callable[[], object]] = {
        "write": lambda: workspace.file.write(path, "x"),
        "edit": lambda: workspace.file.edit(path, [Edit("a", "b")]),
        "read": lambda: workspace.file.read(path),
        "remove": lambda: workspace.file.remove(path, recursive=True),
        "move": lambda: workspace.file.remove("pipe", to=path),
        "patch": lambda: workspace.patch.apply(f"--- /dev/null\n+++ {path}\n@@ -0,0 +1 @@\n+x\n", strip=0),
    }
    if path not in ("", ".", "/", "/workspace"):  # whole trees, into which files may be pushed
        tries["push"] = lambda: workspace.sync.push(here, dest=path)
        tries["diff"] = lambda: workspace.diff(paths=[path])
        tries["export"] = lambda: workspace.export(path, output_path=host / "nowhere")
    if path.startswith(("to-", "loop/", "pipe/")) or path == "x" * 256 or path in _ABOVE:
        # Below the workspace nothing has changed there; and a whole machine can be exported.
        del tries["export" if path in _ABOVE else "diff"]
    for what, attempt in tries.items():
        assert _answer(attempt) in _REFUSALS, (what, path[:40])


def _answer(attempt: Callable[[], object]) -> str:
    try:
        return f"done: {attempt()}"
    except PyroError as error:
        return error.code


def _links_lead_nowhere_else(workspace: Workspace, host: Path) -> None:
    """A link that leads out of the workspace leads to its own machine's files, never to the host's."""
    workspace.file.write("up", "in the machine\n")
    assert workspace.file.read("/etc/up").content == "in the machine\n"
    assert not Path("/etc/up").exists()
    assert workspace.file.read("top/etc/up").content == "in the machine\n"
    report = workspace.export("/workspace", output_path=host / "out")
    assert {one.path for one in report.left_out} == {"to-proc", "to-dev", "loop", "pipe", "up", "top"}
    assert not list((host / "out").iterdir())
    workspace.exec("rm -f *")


def _odd_names_are_names(workspace: Workspace, host: Path) -> None:
    for name in _ODD:
        written = workspace.file.write(name, f"{name!a}\n")
        assert workspace.file.read(name).sha256 == written.sha256
        workspace.file.edit(name, [Edit(f"{name!a}", "edited")])
        workspace.file.remove(name, to=f"moved/{name}")
    assert len(workspace.file.list("moved").entries) == len(_ODD)
    diff = workspace.diff(paths=["moved"])
    assert len(diff.files) == len(_ODD)
    workspace.export("moved", output_path=host / "moved")
    workspace.export(format="patch", output_path=host / "odd.patch")
    patch = (host / "odd.patch").read_bytes()
    (host / "applied").mkdir()
    git(host / "applied", "init", "-q")
    git(host / "applied", "apply", "-", stdin=patch)
    workspace.exec("rm -r moved")
    workspace.patch.apply(patch.decode(errors="surrogateescape"))
    assert len(workspace.diff(paths=["moved"]).files) == len(_ODD)
    pushed = workspace.sync.push(host / "moved", dest="pushed")
    assert pushed.changed == len(_ODD)
    for place in (host / "moved", host / "applied/moved"):
        assert {entry.name for entry in place.iterdir()} == set(_ODD)
        assert {entry.read_text() for entry in place.iterdir()} == {"edited\n"}
    listed = workspace.exec(
        "cd pushed && ls -A1 --zero | sort -z | sha256sum; cd ../moved && ls -A1 --zero | sort -z | sha256sum"
    )
    assert len(set(listed.stdout.split("  -\n")) - {""}) == 1


def _state(workspace: Workspace) -> str:
    return workspace.exec(
        "find /workspace /etc /root /tmp | sort | sha256sum; find /workspace -newer /workspace/loop"
    ).stdout


def test_a_name_that_is_no_text_is_read_by_what_answers_call_it(environment: Environment) -> None:
    """A model can write no bytes that are not UTF-8; what lists and searches show leads to the file all the same."""
    with Pyro().workspace.create() as workspace:
        workspace.exec(["sh", "-c", "printf 'one needle\\n' > \"$(printf 'na\\377me')\"; echo x > 'na%41me'"])
        (entry,) = [item for item in workspace.file.list().entries if item.path_bytes]
        assert (entry.path, entry.path_bytes) == ("na%FFme", "bmH/bWU=")
        (match,) = workspace.file.search("needle").matches
        assert (match.path, match.path_bytes) == (entry.path, entry.path_bytes)
        found = workspace.file.read(match.path)
        assert (found.path, found.path_bytes, found.content) == ("na%FFme", "bmH/bWU=", "one needle\n")
        workspace.file.edit("na%FFme", [Edit("one", "two")])
        assert workspace.file.read("na\udcffme").content == "two needle\n"
        assert workspace.file.read("na%41me").content == "x\n"
        assert workspace.file.remove("na%FFme").path == "na%FFme"
        assert [item.path for item in workspace.file.list().entries] == ["na%41me"]
