"""Kept weights of a trial, read again: scored, exported, handed in, and sampled from."""
