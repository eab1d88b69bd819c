"""A campaign's folder: its files, their columns and types, and the checks when they are read."""
