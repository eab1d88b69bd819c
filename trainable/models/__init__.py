"""Knobs of the model variants (a file each) and of the parts they swap; their modules are in ``trainable/networks``."""

# Importing a file here registers its components: names on disk resolve, and the contract tests find them.
from trainable.models import (
    attention,
    block,
    blueberry,
    gpt,
    gpt2,
    init,
    latent_attention,
    layers,
    mixture_of_experts,
    mlp,
    nanochat,
    ngpt,
    norms,
    query_key_value,
    stem,
)

__all__ = [
    "attention",
    "block",
    "blueberry",
    "gpt",
    "gpt2",
    "init",
    "latent_attention",
    "layers",
    "mixture_of_experts",
    "mlp",
    "nanochat",
    "ngpt",
    "norms",
    "query_key_value",
    "stem",
]
