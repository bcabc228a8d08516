"""Keep secret values out of what is written, answered and logged. Pure, standard library only."""

from pyro_mcp.redaction.answers import without_secrets
from pyro_mcp.redaction.redactor import Redactor, marker

__all__ = ["Redactor", "marker", "without_secrets"]
