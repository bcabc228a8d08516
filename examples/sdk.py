"""The SDK: run a script that nobody vouches for in a machine of its own, and look at what came of it."""

from pyro_mcp import Pyro, PyroError

SCRIPT = """
import os, sys
numbers = [int(line) for line in sys.stdin]
print("sum", sum(numbers))
print("variables", sorted(name for name in os.environ if name.startswith("JOB_")))
"""


def main() -> None:
    """Give a script input and a variable, then run one that fails and one that never ends."""
    pyro = Pyro()
    result = pyro.run("debian:12", ["python3", "-c", SCRIPT], stdin="1\n2\n39\n", env={"JOB_ID": "7"})
    print(result.stdout, end="")
    print(f"isolation {result.isolation}, confinement {result.confinement}")

    # A command that fails is a result, not an exception.
    failed = pyro.run("debian:12", "echo no such luck >&2; exit 3")
    print(f"exit {failed.exit_code}: {failed.stderr.strip()}")

    # Output as it comes, and a limit on how long it may take.
    endless = pyro.run(
        "debian:12",
        "while true; do echo tick; sleep 0.5; done",
        timeout_seconds=2,
        on_output=lambda stream, data: print(f"{stream}: {data.decode().strip()}"),
    )
    print(f"outcome {endless.outcome}")

    # What pyro cannot do is an exception that says what to do next.
    try:
        pyro.run("debian:21", "true")
    except PyroError as error:
        print(f"{error.code}: {error.hint}")


if __name__ == "__main__":
    main()
