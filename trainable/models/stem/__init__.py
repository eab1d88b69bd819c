"""Tricks at the stem, one per file: ``model.stem`` takes any number of them."""

from trainable.models.stem import bigram_hash, embed_mixup, smear_gate, token_dropout

__all__ = ["bigram_hash", "embed_mixup", "smear_gate", "token_dropout"]
