"""A terminal in a workspace from Python: a debugger that asks, driven step by step."""

from pyro_mcp import NotFound, Pyro

PROGRAM = """
def total(prices):
    result = 0
    for price in prices:
        result = price
    return result

print(total([1, 2, 3]))
"""


def main() -> None:
    """Find out in pdb why a sum is wrong."""
    with Pyro().workspace.create() as ws:
        ws.file.write("total.py", PROGRAM)
        shell_id = ws.shell.open().shell_id

        def type_in(text: str, until: str = r"^\(Pdb\) $") -> str:
            ws.shell.write(shell_id, text)
            return ws.shell.read(shell_id, wait_for_pattern=until, timeout_seconds=30).text

        type_in("python3 -m pdb total.py")
        type_in("break 6")
        type_in("continue")
        print(type_in("p prices, result"))
        type_in("quit", until="[#$] $")

        # What runs can be interrupted; the last command's exit code is part of every answer.
        ws.shell.write(shell_id, "sleep 1000")
        ws.shell.read(shell_id, wait_for_idle_ms=300)
        ws.shell.write(shell_id, keys=["ctrl-c"])
        read = ws.shell.read(shell_id, wait_for_prompt=True)
        print(f"state {read.state}, exit code {read.exit_code}")

        ws.shell.close(shell_id)
        try:
            ws.shell.read(shell_id)
        except NotFound as error:
            print(f"{error.code}: {error.brief}")


if __name__ == "__main__":
    main()
