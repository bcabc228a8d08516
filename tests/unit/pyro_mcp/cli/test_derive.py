import click
import pytest
from click.testing import CliRunner

from pyro_mcp.cli.derive import _decorator, arguments_of
from pyro_mcp.models.arguments import Argument
from pyro_mcp.operations.declare import FULL, Parameter


def test_arguments_follow_the_declaration() -> None:
    seen: dict[str, object] = {}

    @click.command()
    @arguments_of("vm_run", without=("command", "stdin"))
    def command(**given: object) -> None:
        seen.update(given)

    done = CliRunner().invoke(
        command, ["debian:12", "-e", "A=1", "--mem-mib", "512", "--allow-host", "a.b", "--allow-host", "c.d"]
    )
    assert done.exit_code == 0
    assert seen == {
        "environment": "debian:12",
        "env": {"A": "1"},
        "vcpu_count": 1,
        "mem_mib": 512,
        "timeout_seconds": 600,
        "seed_path": None,
        "network_policy": "off",
        "allow_hosts": ("a.b", "c.d"),
        "no_host_ca": False,
    }


def test_a_type_that_no_option_stands_for_is_told_when_the_command_is_made() -> None:
    parameter = Parameter("edits", list[dict[str, str]], Argument(text="Edits."), True, None, FULL)
    with pytest.raises(TypeError, match="write this command by hand"):
        _decorator(parameter, positional=False)
