"""A workspace's secrets: values that its machine knows and that nothing it says tells."""

from pyro_mcp.workspaces.secrets.store import SecretStore
from pyro_mcp.workspaces.secrets.variables import secret_variables

__all__ = ["SecretStore", "secret_variables"]
