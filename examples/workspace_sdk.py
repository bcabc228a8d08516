"""A workspace from Python: find a bug in a copy of a project, fix it, try two more ideas at once, and keep the patch."""

import tempfile
from pathlib import Path

from pyro_mcp import Edit, Pyro, PyroError

CODE = """
def add(a, b):
    return a - b

assert add(2, 3) == 5, add(2, 3)
print("all is well")
"""


def main() -> None:
    """Work in a workspace of a throwaway project."""
    with tempfile.TemporaryDirectory() as project:
        Path(project, "calc.py").write_text(CODE)
        repair(project)


def repair(project: str) -> None:
    """Everything happens in the copy: the project itself is only read, until the patch is written beside it."""
    pyro = Pyro()
    with pyro.workspace.create("debian:12", seed_path=project) as ws:  # deleted at the end of the block
        failed = ws.exec("python3 calc.py")
        print(f"exit {failed.exit_code}: {failed.stderr.splitlines()[-1]}")

        edited = ws.file.edit("calc.py", [Edit("a - b", "a + b")])
        print(f"edited {edited.path}")
        print(ws.exec(["python3", "calc.py"]).stdout, end="")

        # A checkpoint, and a copy of the whole machine from it to try something else in.
        ws.snapshot.create("fixed")
        for fork in ws.fork(from_snapshot="fixed"):
            assert fork.workspace is not None, fork.error
            pyro.workspace.exec(fork.workspace.workspace_id, "rm -r /workspace/*")
            pyro.workspace.delete(fork.workspace.workspace_id)
        print("the fork is gone, and here is", ws.exec("ls").stdout.split())

        patch = Path(project, "fix.patch")
        ws.export(format="patch", output_path=patch)
        print(patch.read_text(), end="")

        ws.reset()
        print("after reset:", ws.diff(format="name-status").files)

        # What pyro cannot do is an exception that says what to do next.
        try:
            ws.file.read("no-such-file")
        except PyroError as error:
            print(f"{error.code}: {error.brief}")


if __name__ == "__main__":
    main()
