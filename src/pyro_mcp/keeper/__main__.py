"""Run a keeper: `python -I -S …/pyro_mcp/keeper/__main__.py MACHINE_ID`, the plan on standard input.

The id stands in the command line so that people can see whose process it is.
"""

import sys
from pathlib import Path

# Started without site-packages, which takes half of Python's start-up: our own packages lie beside each other.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pyro_mcp.keeper.hold import main

main()
