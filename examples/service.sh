#!/bin/sh
# A server in a workspace, from the command line: started, waited for, reached from here, read, stopped.
set -eu

workspace=$(pyro workspace create -q --id-only --network-policy egress+published-ports)
trap 'pyro workspace delete -q "$workspace" >/dev/null' EXIT
pyro workspace file write -q "$workspace" hello.txt --text 'hello from inside' >/dev/null

# Answers when the server is ready; host port 0 lets pyro choose a free one.
pyro workspace service start -q "$workspace" web --json --publish 0:8000 --ready-timeout-seconds 60 \
    --ready-http http://localhost:8000/hello.txt -- python3 -u -m http.server 8000 >started.json
port=$(python3 -c 'import json; print(json.load(open("started.json"))["published_ports"][0]["host_port"])')
rm started.json

python3 -c "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:$port/hello.txt').read().decode())"
pyro workspace service logs "$workspace" web --grep 'GET /hello.txt' | wc -l

# One that cannot start says why.
pyro workspace service start -q "$workspace" twin --ready-tcp 9999 -- python3 -m no_such_server || echo "exit status $?"

pyro workspace stop -q "$workspace" >/dev/null
pyro workspace service status "$workspace" web
