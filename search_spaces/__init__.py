"""What is asked: one folder per campaign, each with base config, knobs and recorded runs. Imports config types only."""

from search_spaces.catalogue import load, names

__all__ = ["load", "names"]
