"""Overrides that change nothing, found in runs of a few steps: before a search, and in a recorded campaign."""
