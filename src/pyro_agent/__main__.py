"""Started by the kit's init as the guest's first process."""

from pyro_agent.main import main

main()
