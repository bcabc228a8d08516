"""The one small process that holds a running machine. Standard library and pyro_wire only: it starts in 20 ms."""
