"""What all the rest stands on: the loop, the log, system calls that Python lacks."""
