"""Compare any two states of a workspace, and read a stopped one's disk without starting it."""

from pyro_mcp import Conflict, Pyro


def main() -> None:
    """Try two ideas, one after the other, and look at what tells them apart."""
    with Pyro() as pyro, pyro.workspace.create() as ws:
        ws.file.write("plan.md", "one\n")
        ws.snapshot.create("first")
        ws.file.write("plan.md", "one\ntwo\n")
        ws.snapshot.create("second")
        ws.file.remove("plan.md")
        print(ws.diff(from_snapshot="first", to_snapshot="second").patch, end="")
        print(ws.diff(from_snapshot="second", format="name-status").name_status, end="")

        try:
            ws.disk.read("/etc/hostname")
        except Conflict as error:
            print(f"{error.code}: {error.brief.split(' ', 2)[1]} … is running")
        ws.stop()
        print("entries:", [entry.path for entry in ws.disk.list().entries])
        print("Debian", ws.disk.read("/etc/debian_version").content.split(".")[0])
        print("state:", ws.status().state)


if __name__ == "__main__":
    main()
