"""Optimizers: one update rule per file, one optimizer (which rule and rate for which role) per file."""

from trainable.optimizers import adam, muon, muon_adam

__all__ = ["adam", "muon", "muon_adam"]
