"""What follows: rules, and the engines that turn a realization into a trajectory."""
