"""What results mean: comparison with what was published."""
