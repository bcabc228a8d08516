"""How fast pyro is on this host, measured: `make bench`. docs/benchmarks.md says how to read what it prints."""
