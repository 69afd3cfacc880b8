"""To hand over: what a stored run says, in words and tables."""
