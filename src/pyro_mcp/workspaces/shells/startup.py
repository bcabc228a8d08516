"""How a shell is started, so that it marks its prompts (OSC 133) and reads no other files than it would anyway."""

from __future__ import annotations

from collections.abc import Mapping

# In memory (tmpfs): in no diff, on no disk.
_BASH_FILE, _SH_FILE = "run/pyro/bashrc", "run/pyro/shrc"

# D tells the last command's exit code, A and B stand around the prompt, C ends the line that was entered. Set at each prompt
# anew: a virtual environment or the user's own files may have changed PS1.
_BASH = r"""[ -f ~/.bashrc ] && . ~/.bashrc
__pyro_marks() {
    case $PS1 in *']133;D;'*) ;; *) PS1='\[\e]133;D;$?\a\e]133;A\a\]'"$PS1"'\[\e]133;B\a\]' ;; esac
    case $PS2 in *']133;A'*) ;; *) PS2='\[\e]133;A;k=s\a\]'"$PS2"'\[\e]133;B\a\]' ;; esac
    PS0='\e]133;C\a'
}
PROMPT_COMMAND="${PROMPT_COMMAND:+$PROMPT_COMMAND; }__pyro_marks"
"""
# A POSIX shell expands parameters in its prompts, and nothing else.
_SH = "PS1='\x1b]133;D;$?\x07\x1b]133;A\x07$PWD # \x1b]133;B\x07'\nPS2='\x1b]133;A;k=s\x07> \x1b]133;B\x07'\n"


def shell_request(
    *, cwd: str, env: Mapping[str, str], defaults: Mapping[str, str], cols: int, rows: int
) -> dict[str, object]:
    """Give the agent's request: bash where the environment has it, else sh."""
    variables = {"TERM": "xterm-256color", "LANG": "C.UTF-8", **defaults, **env}
    bash = ["--rcfile", f"/{_BASH_FILE}", "-i"]
    return {
        "programs": [
            {"argv": ["/bin/bash", *bash], "env": variables},
            {"argv": ["/usr/bin/bash", *bash], "env": variables},
            {"argv": ["/bin/sh", "-i"], "env": {"ENV": f"/{_SH_FILE}", **variables}},
        ],
        "files": {_BASH_FILE: _BASH, _SH_FILE: _SH},
        "cwd": cwd,
        "columns": cols,
        "rows": rows,
    }
