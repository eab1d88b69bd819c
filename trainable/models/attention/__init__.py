"""Tricks on what the heads put out, one per file: ``model.attention`` takes any number of them."""

from trainable.models.attention import exclusive_self_attention, head_pruning, output_gate

__all__ = ["exclusive_self_attention", "head_pruning", "output_gate"]
