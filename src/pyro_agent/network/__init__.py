"""The guest's network, which leads to the agent alone: names, connections and stray packets, and `connect` the other way."""
