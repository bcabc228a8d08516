"""`pyro env`: the environments on this host. For people: a machine pulls what it needs by itself."""

import json
from pathlib import Path

import click

from pyro_mcp.cli.derive import as_json_option, derived, quiet_option
from pyro_mcp.cli.groups import SpellingGroup
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render.answers import json_text, one_environment
from pyro_mcp.cli.render.tables import size
from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.host.paths import Paths


@click.group(cls=SpellingGroup)
def env() -> None:
    """The root filesystems that machines boot.

    \b
    pyro env list
    pyro env pull debian:12-build
    pyro env import python:3.13 python.tar
    """


env.add_command(derived("vm_list_environments"))


@env.command()
@click.argument(
    "environments", metavar="ENVIRONMENT...", nargs=-1, required=True, help="As `env list` names them."
)
@click.option("--refresh", is_flag=True, help="Build anew from the archive as it is today.")
@as_json_option
@quiet_option
def pull(environments: tuple[str, ...], refresh: bool, quiet: bool, as_json: bool) -> None:
    """Build environments from Debian's signed archive, with what boots them.

    \b
    pyro env pull debian:12 debian:12-build
    pyro env pull debian:12 --refresh

    What is there already stays as it is. Killed half-way, it leaves nothing that the next pull trips over.
    """
    store = _store()
    for name in environments:  # a misspelt second name is told before the first is built
        store.find(name)
    with shown_progress(quiet=quiet):
        for name in environments:
            store.ensure(name, refresh=refresh)
        store.kit(refresh=refresh)
    found = [store.inspect(name) for name in environments]
    if as_json:
        click.echo(json_text(found, "environments"))
    elif not quiet:
        for item in found:
            click.echo(f"{item.name}  {size(item.size)}  {(item.digest or '-')[:12]}")


@env.command("import")
@click.argument("name", help="How it is to be called: name or name:tag.")
@click.argument(
    "archive",
    type=click.Path(path_type=Path),
    help="A file of `docker save` or `podman save` (gzip too), or an OCI layout: a directory or a tar.",
)
@quiet_option
@as_json_option
def import_(name: str, archive: Path, quiet: bool, as_json: bool) -> None:
    """Make an environment of a container image that you saved.

    \b
    docker save python:3.13 -o python.tar
    pyro env import python:3.13 python.tar
    pyro run python:3.13 -- python3 --version

    It must be for linux/amd64. Its variables, working directory and user are what a `run` has. The same name again leads to
    the new image; workspaces on the old one keep it. Importing needs no network and no docker.
    """
    with shown_progress(quiet=quiet):
        found = _store().import_image(name, archive)
    if as_json:
        click.echo(json_text(found))
    elif not quiet:
        click.echo(f"{found.name}  {size(found.size)}  {(found.digest or '-')[:12]}")


@env.command()
@click.argument("environment", help="As it was imported.")
@as_json_option
def forget(environment: str, as_json: bool) -> None:
    """Drop the name of an imported environment; `env prune` then frees its disk space.

    \b
    pyro env forget python:3.13

    Workspaces that stand on it keep it.
    """
    _store().forget(environment)
    click.echo(json.dumps({"forgotten": environment}) if as_json else f"{environment} forgotten")


@env.command()
@click.argument("environment", help="As `env list` names it.")
@click.option("--verify", is_flag=True, help="Read every byte of it and compare.")
@as_json_option
@quiet_option
def inspect(environment: str, verify: bool, as_json: bool, quiet: bool) -> None:
    """Show an environment: what it is made of, where it is, what a command gets in it.

    \b
    pyro env inspect debian:12 --verify
    """
    with shown_progress(quiet=quiet):
        found = _store().inspect(environment, verify=verify)
    click.echo(json_text(found) if as_json else one_environment(found))


@env.command()
@as_json_option
@quiet_option
def prune(as_json: bool, quiet: bool) -> None:
    """Free the disk space of environments and kits that no current recipe or workspace uses.

    \b
    pyro env prune

    Imported ones stay until they are forgotten (`env forget`).
    """
    from pyro_mcp.workspaces.engine import Engine  # with all that workspaces need
    from pyro_mcp.workspaces.prune import prune_environments

    with shown_progress(quiet=quiet):
        freed = prune_environments(Engine().sessions)
    if as_json:
        click.echo(json_text(freed))
        return
    things = "1 image" if len(freed.digests) == 1 else f"{len(freed.digests)} images"
    click.echo(f"{things}, {size(freed.freed_bytes)} freed" if freed.digests else "there is nothing to free")


def _store() -> EnvironmentStore:
    return EnvironmentStore(Paths.from_environment())
