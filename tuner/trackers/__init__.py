"""Experiment trackers that a campaign is also written to (``--log NAME``): a file each, and what they share."""
