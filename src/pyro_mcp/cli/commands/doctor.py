"""`pyro doctor`: whether this host can run machines, and how to fix it if not."""

import os
import shutil
import subprocess

import click

from pyro_mcp.cli.derive import as_json_option
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render.answers import json_text
from pyro_mcp.errors import HostUnfit
from pyro_mcp.models.doctor import Check, Diagnosis
from pyro_mcp.workspaces.doctor import examine, forget_what_is_known

_COLOURS = {"pass": "green", "warn": "yellow", "fail": "red"}


@click.command()
@click.option(
    "--fix", is_flag=True, help="Install missing Debian packages, after asking; then try everything anew."
)
@as_json_option
def doctor(fix: bool, as_json: bool) -> int:
    """Check whether this host can run machines, and how to fix it if not.

    \b
    pyro doctor
    pyro doctor --fix

    Exits with 0 if machines can run, even if only emulated, else with 5.
    """
    with shown_progress():
        if fix:
            forget_what_is_known()
        found = examine()
    if fix and found.missing_packages:
        _install(found.missing_packages)
        with shown_progress():
            found = examine()
    click.echo(json_text(found)) if as_json else _show(found)
    return 0 if found.fit else HostUnfit.exit_status


def _show(found: Diagnosis) -> None:
    width = max(len(check.name) for check in found.checks)
    for check in found.checks:
        click.echo(_line(check, width))
        if check.remedy:
            click.echo(f"{'':>{width + 8}}mend it: {check.remedy}")
    if found.fit:
        walls = f"isolation {found.isolation}, confinement {found.confinement}"
        click.echo(f"\nMachines can run here ({walls}).")
    else:
        failed = ", ".join(check.name for check in found.checks if check.health == "fail")
        click.echo(f"\nMachines cannot run here: {failed}.")
    if found.missing_packages:
        click.echo(f"pyro doctor --fix installs: {' '.join(found.missing_packages)}")


def _line(check: Check, width: int) -> str:
    mark = click.style(f"{check.health:<4}", fg=_COLOURS[check.health], bold=check.health != "pass")
    first, *rest = check.fact.splitlines()
    return "\n".join(
        [f"{mark}  {check.name:<{width}}  {first}", *(f"{'':>{width + 8}}{line}" for line in rest)]
    )


def _install(packages: tuple[str, ...]) -> None:
    if shutil.which("apt-get") is None:
        raise HostUnfit(
            f"missing: {', '.join(packages)}",
            hint="This is no Debian or Ubuntu: install your system's packages of these.",
        )
    become = [] if os.geteuid() == 0 else ["sudo"]
    if become and shutil.which("sudo") is None:
        raise HostUnfit("installing needs root", hint=f"As root: apt-get install {' '.join(packages)}")
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    commands = (
        [*become, *quiet, "update"],
        [*become, *quiet, "-y", "install", "--no-install-recommends", *packages],
    )
    click.echo(f"This runs: {' '.join(commands[1])}", err=True)
    click.confirm("Install these packages?", abort=True, err=True)
    for command in commands:
        done = subprocess.run(command, stdout=2, check=False)  # stdout is for the answer
        if done.returncode != 0:
            raise HostUnfit(f"{' '.join(command)} ended with status {done.returncode}")
