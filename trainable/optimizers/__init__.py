"""Optimizers: one update rule per file, one optimizer (which rule and rate for which role) per file."""

from trainable.optimizers import (
    adam,
    adamw,
    almost_orthogonal,
    gradient_descent,
    muon,
    muon_adam,
    muon_adam_split,
    muon_adamw,
    newton_schulz,
    normuon,
    polar_express,
    sgd,
)

__all__ = [
    "adam",
    "adamw",
    "almost_orthogonal",
    "gradient_descent",
    "muon",
    "muon_adam",
    "muon_adam_split",
    "muon_adamw",
    "newton_schulz",
    "normuon",
    "polar_express",
    "sgd",
]
