"""Model variants whose wiring differs (a file each) and the parts they swap."""

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
