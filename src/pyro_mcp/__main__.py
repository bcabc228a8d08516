"""`python -m pyro_mcp` is `pyro`."""

from pyro_mcp.cli.main import main

if __name__ == "__main__":
    main()
