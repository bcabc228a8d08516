"""Container images as environments: an archive or layout is read, its layers are merged in memory, one tar comes out.

Nothing of an image is unpacked on the host. What is in it is never trusted: it may be nobody's, or an enemy's.
"""
