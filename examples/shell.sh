#!/bin/sh
# A terminal in a workspace from the command line: what is typed, waited for and read.
set -eu

workspace=$(pyro workspace create -q --id-only)
trap 'pyro workspace delete -q "$workspace"' EXIT
shell=$(pyro workspace shell open -q --id-only "$workspace")

say() { pyro workspace shell write -q "$workspace" "$shell" "$@" >/dev/null; }
look() { pyro workspace shell read -q "$workspace" "$shell" "$@"; }

# A progress bar is read at its last state.
say --input 'for i in 1 2 3; do printf "\rstep $i of 3"; done; echo'
look --wait-for-prompt

# A program that asks, and waits for the answer.
say --input 'python3 -q'
look --wait-for-pattern '^>>> $' >/dev/null
say --input '6 * 7'
look --wait-for-pattern '^42$'
say --key ctrl-d
look --wait-for-prompt >/dev/null

# An editor: what is on its screen, as a person would see it.
say --input 'vi poem.txt'
look --wait-for-idle-ms 500 >/dev/null
say --input 'iRoses are red,' --key esc
look --view screen --wait-for-idle-ms 500 | head -n 1
say --input ':wq' --key enter
look --wait-for-prompt >/dev/null
pyro workspace file read -q "$workspace" poem.txt --content-only

pyro workspace shell close -q "$workspace" "$shell"
