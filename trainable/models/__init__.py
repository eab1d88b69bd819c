"""Model variants whose wiring differs (a file each) and the parts they swap."""

# Importing a file here registers its components: names on disk resolve, and the contract tests find them.
from trainable.models import block, gpt, mlp

__all__ = ["block", "gpt", "mlp"]
