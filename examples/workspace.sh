#!/bin/sh
# A workspace from the command line: a copy of a project to break, fix, review and take back as a branch.
set -eu

# A repository with a bug, for want of yours.
project=$(mktemp -d)
cd "$project"
git init -q -b main
git config user.name Ada
git config user.email ada@example.org
printf 'def add(a, b):\n    return a - b\n' >calc.py
printf 'from calc import add\n\nassert add(2, 3) == 5, add(2, 3)\nprint("all is well")\n' >check.py
echo __pycache__/ >.gitignore
git add .
git commit -qm 'Add things up'

workspace=$(pyro workspace create -q --id-only --seed-path .)
trap 'pyro workspace delete -q "$workspace"; rm -rf "$project"' EXIT

# The exit status is the command's own, so a script can decide by it.
if ! pyro workspace exec -q "$workspace" -- python3 check.py 2>/dev/null; then
    echo "the bug is there"
fi

pyro workspace file edit "$workspace" calc.py --edit 'a - b' 'a + b'
pyro workspace file write "$workspace" NOTES.md --text 'add() adds now.'
pyro workspace exec -q "$workspace" -- python3 check.py

pyro workspace diff "$workspace"

# A branch in this repository; the checkout is not touched.
pyro workspace export "$workspace" --format branch --branch-name fix
git diff --stat main fix

# Back to what was copied in, as if nothing had been done.
pyro workspace reset -q "$workspace" >/dev/null
pyro workspace diff "$workspace" --format name-status
echo "and back again"
