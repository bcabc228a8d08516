#!/bin/sh
# The command line: data in through standard input, the answer out, the command's own exit status.
set -eu

pyro run debian:12 -- git --version

printf 'one\ntwo\nthree\n' | pyro run -q debian:12 -- wc -l

# The status is the command's own, so a script can decide by it.
if pyro run -q debian:12 -- grep -q 'Debian GNU/Linux 12' /etc/os-release; then
    echo "it is Debian 12 in there"
fi
