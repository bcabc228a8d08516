"""From a patch's bytes to what it says: sections, hunks and names, nothing resolved against any tree yet."""
