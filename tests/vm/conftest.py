"""Tests that only a real machine can pass. They go through pyro's own doors wherever a user could."""

from tests.ladder import *  # noqa: F403 - the fixtures
