"""What the city filed: tables in, checks, scenario, and the portfolio as frozen arrays."""
