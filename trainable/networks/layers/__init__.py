"""Modules of the tricks in and around the blocks, a file each."""
