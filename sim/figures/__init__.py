"""To look at: one chart a file; computes nothing, reads a stored run."""
