"""Machines: what they are made from (promises, grounds, network), what makes them (shop, making, granting), and the ones of
workspaces (starting, running).
"""
