#!/bin/sh
# A secret from the command line: one command knows it, and nothing that is said or kept tells it.
set -eu

# From the environment, so that it stands in no command line and in no shell's history.
API_TOKEN=tok-3f9a77c2e1
export API_TOKEN
workspace=$(pyro workspace create -q --id-only --secret API_TOKEN)
trap 'pyro workspace delete -q "$workspace"' EXIT

# No other command has the variable; a program may also read the file.
pyro workspace exec -q "$workspace" -- sh -c 'echo "unasked: ${API_TOKEN:-nothing}"'
pyro workspace exec -q "$workspace" --secret-env API_TOKEN -- sh -c 'echo "asked: ${#API_TOKEN} characters"'
pyro workspace exec -q "$workspace" --secret-env API_TOKEN -- sh -c 'echo "GET /?key=$API_TOKEN"; echo -n "user:$API_TOKEN" | base64'

# What must be exact is refused rather than changed.
pyro workspace exec -q "$workspace" -- cp /run/pyro-secrets/API_TOKEN leaked.txt
pyro workspace diff "$workspace" >/dev/null 2>&1 || echo "diff: status $?"
pyro workspace diff "$workspace" --format name-status
