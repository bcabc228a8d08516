"""What the pages' blocks take for granted, and the few commands that are not run, each with its reason."""

from collections.abc import Mapping

# Page: how a command begins: something about it.
Table = Mapping[str, Mapping[str, str]]

# Why it is not run. A row that no page has any more fails a test.
NOT_RUN: Table = {
    "README.md": {
        "git clone": "the tests are in a clone; docs/use-cases/README.md tells how it went from nothing",
        "make demo": "installs system packages, as every run of CI does",
        "pyro env pull debian:12-build": "builds for a minute or two; make smoke-use-cases has it",
    },
    "docs/install.md": {
        "git clone": "the tests are in a clone",
        "make demo": "installs system packages, as every run of CI does",
        "sudo apt-get install": "wants root; scripts/setup installs these in CI",
        "uv tool install": "make dist-check installs it, as a tool and into environments",
    },
    "docs/environments.md": {
        "pyro env pull --refresh": "replaces what other tests stand on; tests/vm/test_cold_cache.py has a cache of its own",
        "pyro env prune": "would empty a cache that others use; the same",
        "pyro env import": "wants an image that you saved; tests/vm/test_imported_environments.py makes its own",
        "pyro env forget": "the same",
        "docker save": "wants docker",
        "pyro run python:3.13": "wants that image",
    },
    "docs/network.md": {
        "pyro run debian:12-build": "wants npm's registry; tests/smoke -k network reaches the package index",
    },
    "docs/secrets.md": {
        "pyro workspace exec issue-1 --secret-env NPM_TOKEN": "wants a package of yours at npm",
        "pyro workspace exec issue-1 -- ssh": "wants a server of yours",
    },
    "docs/services.md": {
        "pyro workspace service start issue-1 web2": "an address of the reader's own computer",
    },
    "docs/shells.md": {
        "pyro workspace attach": "wants a terminal; tests/vm/test_shells.py gives it one",
    },
    "docs/mcp-server.md": {
        "pyro mcp serve --transport http": "serves until it is stopped; examples/mcp_http.py starts, uses and stops it",
    },
    "docs/use-cases/repro-and-fix.md": {
        "pip download": "the tests have that archive, and hold it to its hash"
    },
    "docs/integrations/claude-code.md": {
        "claude ": "the host's own client; make smoke-hosts",
    },
    "docs/integrations/codex.md": {"codex ": "the host's own client; make smoke-hosts"},
    "docs/integrations/opencode.md": {"opencode ": "the host's own client; make smoke-hosts"},
    "docs/integrations/generic.md": {"npx ": "the Inspector comes from npm; make smoke-hosts"},
}

_TOKEN = "export NPM_TOKEN=npm_a1B2c3D4e5F6"
_SERVE = r"#!/bin/sh\n[ $# = 0 ] || { echo missing.toml: no such file; exit 1; }\nexec sleep 600\n"


def _created(*names: str, options: str = "") -> str:
    return " && ".join(f"pyro workspace create --seed-path . --name {name} {options}" for name in names)


# What a reader has done before it, where a block begins in the middle of things.
BEFORE: Table = {
    "docs/workspaces.md": {
        "pyro workspace exec issue-1 -- python3": f"sed -i 's|a - b|a + b|' calc.py; {_created('issue-1')}"
    },
    "docs/review.md": {"pyro workspace summary fix-123": _created("fix-123", "try-a", "try-b", "try-c")},
    "docs/disks.md": {
        "pyro workspace snapshot list": (
            f"{_created('issue-1')} && pyro workspace snapshot create issue-1 tests-green"
            " && pyro workspace exec issue-1 -- touch new && pyro workspace snapshot create issue-1 refactored"
        ),
    },
    "docs/secrets.md": {
        "pyro workspace create": f"{_TOKEN}; echo a-key-of-mine > deploy.pem",
        "pyro workspace diff issue-1": (
            "pyro workspace exec issue-1 --secret-env NPM_TOKEN -- sh -c 'echo $NPM_TOKEN > config.toml'"
        ),
    },
    "docs/services.md": {
        "pyro workspace service start issue-1 api": (
            f"printf '{_SERVE}' | pyro workspace file write issue-1 serve --text-file -"
            " && pyro workspace exec issue-1 -- chmod +x serve"
        ),
        "pyro workspace service logs issue-1 web --cursor": (
            "pyro workspace service start issue-1 web -- sh -c 'echo an error; exec sleep 600'"
        ),
        "pyro workspace service start issue-1 web --publish": "pyro workspace service stop issue-1 web",
    },
    "docs/shells.md": {
        "pyro workspace shell open fix-123 --secret-env": "pyro workspace shell list fix-123",
        "pyro workspace shell open fix-123": f"{_TOKEN}; {_created('fix-123', options='--secret NPM_TOKEN')}",
        "pyro workspace shell read fix-123 sh-1 --wait-for-prompt --timeout-seconds": (
            f"pyro workspace delete fix-123 && {_created('fix-123', options='--secret NPM_TOKEN')}"
            " && pyro workspace shell open fix-123"
        ),
        "pyro workspace shell read fix-123 sh-1 --wait-for-pattern": (
            "pyro workspace shell write fix-123 sh-1 --input 'echo Listening on 8000'"
        ),
    },
    "docs/mcp.md": {"pyro mcp serve": "mkdir -p ~/src/project"},
    "docs/integrations/claude-code.md": {"pyro mcp connect": "mkdir -p ~/src/project"},
    "docs/integrations/cursor.md": {"pyro mcp connect": "mkdir -p ~/src"},
    "docs/integrations/generic.md": {"pyro mcp connect": "mkdir -p ~/src/project"},
}


def found_in(table: Table, page: str, command: str) -> str | None:
    """What a table says of a command of a page."""
    rows = table.get(page, {})
    return next((said for begins, said in rows.items() if command.startswith(begins)), None)
