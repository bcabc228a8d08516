"""What a shell's complaint means, where a model would read something else from it."""

from __future__ import annotations

import re

# What bash has of its own: dash, which is sh here, looks for programs of these names.
_OF_BASH = (
    "[[ bind builtin caller compgen complete coproc declare dirs disown enable function help history let local logout "
    "mapfile popd pushd readarray select shopt source suspend time typeset"
)
# As dash writes it: `sh: 1: source: not found`; of a script its path stands first.
_DASH = r"^\S+: \d+: "
_BUILTIN = re.compile(rf"{_DASH}(?:{'|'.join(map(re.escape, _OF_BASH.split()))}): not found$", re.MULTILINE)
_SYNTAX = re.compile(
    rf"{_DASH}(?:Syntax error: (?:\"\(\" unexpected|\"\}}\" unexpected|redirection unexpected|Bad for loop variable|"
    r"Bad fd number)|(?:.*: )?Bad substitution|set: Illegal option -o pipefail|read: Illegal option -.|"
    r".*: Illegal option -[aA])",
    re.MULTILINE,
)
_BASH = 'sh is dash, and this is bash: give ["bash", "-c", "…"] as the command.'
_SOURCE = 'sh is dash, which has no `source`: write `. FILE`, or give ["bash", "-c", "…"] as the command.'
_LACKING = "Command not found: this environment may lack the program."
_NOT_FOUND = 127


def what_to_do(exit_code: int | None, stderr: str) -> str | None:
    """What helps against a failure that is the command's spelling, or the environment's; None where nobody knows."""
    if not exit_code:
        return None
    if found := _BUILTIN.search(stderr):
        return _SOURCE if found[0].endswith(" source: not found") else _BASH
    if _SYNTAX.search(stderr):
        return _BASH
    return _LACKING if exit_code == _NOT_FOUND else None
