"""A training on a worker: the Ray actor, its attempts, checkpoints, watchdog and reports at rungs."""
