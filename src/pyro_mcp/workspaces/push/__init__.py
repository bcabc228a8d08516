"""Bring later changes of the host into a workspace: see what it holds, plan the least, carry all of it out or nothing."""
