"""Tricks in and around the blocks, one per file: ``model.layers`` takes any number of them."""

from trainable.models.layers import (
    attention_recycling,
    depth_recurrence,
    layer_dropout,
    layer_norm_scale,
    metamorphosis_dropout,
    progressive_growing,
)

__all__ = [
    "attention_recycling",
    "depth_recurrence",
    "layer_dropout",
    "layer_norm_scale",
    "metamorphosis_dropout",
    "progressive_growing",
]
