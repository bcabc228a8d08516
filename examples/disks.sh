#!/bin/sh
# Two snapshots side by side, and a look into the disk of a workspace that is not running.
set -eu
out=$(mktemp -d)
workspace=$(pyro workspace create -q --id-only)
trap 'pyro workspace delete -q "$workspace"; rm -rf "$out"' EXIT

pyro workspace exec -q "$workspace" -- sh -c 'seq 5 >numbers.txt'
pyro workspace snapshot create "$workspace" counted >/dev/null
pyro workspace exec -q "$workspace" -- sh -c 'sed -i s/3/three/ numbers.txt; echo "it works" >notes.txt'
pyro workspace snapshot create "$workspace" spelt >/dev/null
pyro workspace diff "$workspace" --from counted --to spelt

pyro workspace stop -q "$workspace" >/dev/null
pyro workspace disk list "$workspace"
pyro workspace disk read "$workspace" notes.txt
pyro workspace disk export "$workspace" --output "$out/disk.qcow2" --format qcow2 >/dev/null
test -s "$out/disk.qcow2" && echo "a disk of its own"
