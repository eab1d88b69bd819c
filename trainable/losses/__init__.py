"""Loss terms beside cross-entropy, one per file."""

from trainable.losses import (
    entropy_bonus,
    focal,
    head_diversity,
    label_smoothing,
    load_balancing,
    logit_l2,
    logit_temperature,
    multi_token,
    target_dropout,
    z_loss,
)

__all__ = [
    "entropy_bonus",
    "focal",
    "head_diversity",
    "label_smoothing",
    "load_balancing",
    "logit_l2",
    "logit_temperature",
    "multi_token",
    "target_dropout",
    "z_loss",
]
