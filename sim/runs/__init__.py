"""Many replications: batches, aggregation, provenance and run folders."""
