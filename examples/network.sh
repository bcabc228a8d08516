#!/bin/sh
# What a machine reaches: nothing, unless it is said; then only what is said; and every decision is in the history.
set -eu

# Without a policy there is no way out, and a program learns that at once.
if ! pyro run -q debian:12 -- curl -sS https://pypi.org/ 2>/dev/null; then
    echo "no network without --network-policy"
fi

workspace=$(pyro workspace create -q --id-only --network-policy egress --allow-host pypi.org)
trap 'pyro workspace delete -q "$workspace" >/dev/null' EXIT

# Any program works unchanged: names resolve, TLS is checked, no proxy has to be set.
pyro workspace exec -q "$workspace" -- curl -sS -o /dev/null -w 'pypi.org answers %{http_code}\n' https://pypi.org/simple/six/

# What no rule names is refused, whatever it is called.
for url in https://registry.npmjs.org/ http://169.254.169.254/latest/meta-data/; do
    if ! pyro workspace exec -q "$workspace" -- curl -sS "$url" 2>/dev/null; then
        echo "refused: $url"
    fi
done

pyro workspace logs "$workspace" --kind network
