"""Modules of the tricks at the stem, a file each."""
