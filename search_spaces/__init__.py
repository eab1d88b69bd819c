"""What is asked: one folder per campaign, each a base config, its knobs and its recorded runs. Imports config types only."""

from search_spaces.catalogue import load, names

__all__ = ["load", "names"]
