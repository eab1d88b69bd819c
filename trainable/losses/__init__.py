"""Loss terms beside cross-entropy, one per file."""

from trainable.losses import label_smoothing, logit_l2, z_loss

__all__ = ["label_smoothing", "logit_l2", "z_loss"]
