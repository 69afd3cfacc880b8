"""What the command line asks with: options, errors and runs that commands share, and commands."""
