"""The network and the objective, computed in strips of rows: a fraction of the memory."""
