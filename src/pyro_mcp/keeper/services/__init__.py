"""The services of one machine: started, seen to be ready, logged, and ended."""
