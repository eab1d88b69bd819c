"""Successive halving's reduction factor, which early stopping acts on and the rank statistics at a rung ask about."""

REDUCTION = 2  # one trial in so many goes on at each rung; tuner/early_stopping.py says how it was chosen
