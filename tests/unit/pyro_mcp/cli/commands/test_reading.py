"""What is read of outputs, shells and exports is alone on stdout; what there is to say besides is on stderr."""

from pathlib import Path

import pytest
from tests.unit.pyro_mcp.cli.conftest import AskInstead

from pyro_mcp.cli.main import run_cli
from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.export import ExportReport
from pyro_mcp.models.shell import ShellText, Waited
from pyro_mcp.models.workspace import OutputText

_ID = "out-4h7k2m9qxz"


@pytest.mark.parametrize(
    ("more", "option", "told"),
    [(5, "--offset=0", "pyro: 95 more bytes follow: --offset 5\n"), (5, "-q", ""), (None, "--offset=0", "")],
)
def test_that_more_of_an_output_follows_is_told_on_stderr(
    more: int | None, option: str, told: str, ask_instead: AskInstead, capsys: pytest.CaptureFixture[str]
) -> None:
    part = OutputText(output_id=_ID, stream="stdout", text="1\n2\n", offset=0, next_offset=more, size=100)
    ask_instead("outputs.reading.read_output", part)
    assert run_cli(["workspace", "output", "read", "tidy-otter", _ID, option]) == 0
    assert capsys.readouterr() == ("1\n2\n", told)


def _shell(waited: Waited) -> ShellText:
    return ShellText(
        shell_id="sh-1",
        text="",
        view="text",
        cursor=0,
        state="running",
        exit_code=None,
        waited=waited,
        cursor_row=1,
        cursor_column=1,
    )


@pytest.mark.parametrize(
    ("waited", "told"), [("timeout", "pyro: waited 2 s in vain; a command runs\n"), ("pattern", "")]
)
def test_a_wait_that_nothing_came_of_is_told_on_stderr(
    waited: Waited, told: str, ask_instead: AskInstead, capsys: pytest.CaptureFixture[str]
) -> None:
    ask_instead("shells.reading.read_shell", _shell(waited))
    wait = ["--wait-for-pattern", "never", "--timeout-seconds", "2"]
    assert run_cli(["workspace", "shell", "read", "tidy-otter", "sh-1", *wait]) == 0
    assert capsys.readouterr() == ("", told)


def test_a_patch_for_standard_output_is_alone_there(
    ask_instead: AskInstead, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    ask_instead("export.run.export_workspace", None)

    def export(*_: object, output_path: str, format: str, **__: object) -> ExportReport:
        Path(output_path).write_bytes(b"a patch\xff\n")
        return ExportReport(format="patch", files=1, bytes=9, output_path=output_path)

    monkeypatch.setattr("pyro_mcp.workspaces.export.run.export_workspace", export)
    line = ["workspace", "export", "tidy-otter", "--output", "-"]
    assert run_cli([*line, "--format", "patch"]) == 0
    assert capfdbinary.readouterr() == (b"a patch\xff\n", b"")
    assert run_cli(line) == InvalidRequest.exit_status
    assert run_cli([*line, "--format", "patch", "--json"]) == InvalidRequest.exit_status
