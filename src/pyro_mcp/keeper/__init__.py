"""The one small process that holds a running machine. Standard library and pyro_wire only: it starts in 20 ms.

`start.py` starts one, `hold.py` is its life, and `serve.py` joins what goes on in it: jobs, services, shells and egress, each a
`Part` (`parts.py`) that knows nothing of the others.
"""
