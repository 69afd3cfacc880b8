"""To look at: one chart a file; works out no result, reads a stored run."""
