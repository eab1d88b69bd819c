"""Tricks that touch the batch, the gradients or the weights, one per file. ``hook.py`` names the moments."""

from trainable.hooks import controlled_burn, gradient_clip, weight_average, weight_decay_ramp, weight_perturbation

__all__ = ["controlled_burn", "gradient_clip", "weight_average", "weight_decay_ramp", "weight_perturbation"]
