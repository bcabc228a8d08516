"""`pyro workspace file read|write|edit`: content comes from options, files or standard input, and goes out as it is."""

import base64
import json
import sys
from pathlib import Path

import click

from pyro_mcp.cli.derive import arguments_of, as_json_option, quiet_option
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render.answers import json_text, shown
from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.edit import Edit
from pyro_mcp.models.file import FileContent
from pyro_mcp.operations.client import Pyro


@click.command()
@arguments_of("workspace_file_read")
@click.option("--content-only", is_flag=True, help="Print the content alone, byte for byte.")
@as_json_option
@quiet_option
def read(content_only: bool, quiet: bool, as_json: bool, **arguments: object) -> None:
    """Read a file, or some of its lines, with its hash.

    \b
    pyro workspace file read fix-123 src/app.py --start-line 10 --end-line 40
    pyro workspace file read fix-123 logo.png --encoding base64 --content-only > logo.png
    """
    with shown_progress(quiet=quiet):
        found = Pyro().workspace.file.read(**arguments)  # type: ignore[arg-type]  # as declared
    if content_only:
        sys.stdout.buffer.write(_bytes_of(found))
    else:
        click.echo(json_text(found) if as_json else shown("workspace_file_read", found))


@click.command()
@arguments_of("workspace_file_write", without=("content",))
@click.option("--text", help="The whole file.")
@click.option("--text-file", metavar="FILE", help="A file of this computer that has it; - is standard input.")
@as_json_option
@quiet_option
def write(text: str | None, text_file: str | None, quiet: bool, as_json: bool, **arguments: object) -> None:
    """Write one whole file, with its directories.

    \b
    pyro workspace file write fix-123 notes.txt --text 'first line'
    pyro workspace file write fix-123 run.sh --text-file run.sh --executable
    """
    content, encoding = _content(text, text_file, str(arguments["encoding"]))
    with shown_progress(quiet=quiet):
        done = Pyro().workspace.file.write(**{**arguments, "content": content, "encoding": encoding})  # type: ignore[arg-type]  # as declared
    click.echo(json_text(done) if as_json else shown("workspace_file_write", done))


@click.command()
@arguments_of("workspace_file_edit", without=("edits",))
@click.option(
    "--edit", "edits", nargs=2, metavar="OLD NEW", multiple=True, help="One replacement. Repeatable."
)
@click.option(
    "--edits-file", metavar="FILE", help='JSON: [{"old": …, "new": …, "count": 1}]; - is standard input.'
)
@as_json_option
@quiet_option
def edit(
    edits: tuple[tuple[str, str], ...],
    edits_file: str | None,
    quiet: bool,
    as_json: bool,
    **arguments: object,
) -> None:
    """Replace exact texts in a file, all or none.

    \b
    pyro workspace file edit fix-123 src/app.py --edit 'a - b' 'a + b'
    pyro workspace file edit fix-123 src/app.py --edits-file edits.json
    """
    wanted = [Edit(old, new) for old, new in edits] + (_edits_in(edits_file) if edits_file else [])
    with shown_progress(quiet=quiet):
        done = Pyro().workspace.file.edit(**arguments, edits=wanted)  # type: ignore[arg-type]  # as declared
    click.echo(json_text(done) if as_json else shown("workspace_file_edit", done))


def read_input(name: str) -> bytes:
    """Read a file of this computer; `-` is standard input."""
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise InvalidRequest(
            f"{name} cannot be read", details=str(error), hint="Name a file, or -."
        ) from None


def one_of(text: str | None, file: str | None, option: str) -> bytes:
    """What an option says, or a file: one of them, not both."""
    if (text is None) == (file is None):
        raise InvalidRequest(
            f"give one of {option} and {option}-file",
            hint=f"{option} TEXT, or {option}-file FILE (- is stdin).",
        )
    return read_input(file) if file is not None else (text or "").encode(errors="surrogateescape")


def _content(text: str | None, file: str | None, encoding: str) -> tuple[str, str]:
    data = one_of(text, file, "--text")
    try:
        return data.decode(), encoding
    except UnicodeDecodeError:
        return base64.b64encode(data).decode(), "base64"


def _edits_in(name: str) -> list[Edit]:
    try:
        return [Edit(**item) for item in json.loads(read_input(name))]
    except (ValueError, TypeError) as error:
        raise InvalidRequest(
            f"{name} holds no edits", details=str(error), hint='Write [{"old": "…", "new": "…", "count": 1}].'
        ) from None


def _bytes_of(found: FileContent) -> bytes:
    return base64.b64decode(found.content) if found.encoding == "base64" else found.content.encode()
