"""One VM process: its command line, its walls, its monitor, its disks, and the frozen template it starts from."""
