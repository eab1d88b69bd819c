"""Modules of the tricks on what the heads put out, a file each."""
