"""What may be amiss in an environment, each with the command that mends it: ``h5explorer doctor``."""
