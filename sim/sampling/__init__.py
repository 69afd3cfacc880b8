"""What chance decides: streams, distributions, drivers, calendars -> one realization."""
