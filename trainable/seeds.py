"""Seeds of random number generators.

A campaign has one seed, any whole number in 0..2^63-1. Libraries take less: NumPy's ``RandomState`` (Optuna's samplers)
and torch's generator on a CPU know 32 bits, the first refuses more and the second silently drops them. So no seed is
made by adding or multiplying: it is hashed, and two purposes never share their draws.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

SEEDS = 2**63  # a campaign's and a training's seed is below
LIBRARY_SEEDS = 2**32  # what every library takes


def derived(seed: int, purpose: str, *counters: int) -> int:
    """A seed in 0..2^32-1 for a library, from the campaign's, what is drawn with it, and the how many-th time it is."""
    return place_in(LIBRARY_SEEDS, purpose, (seed, *counters))


def place_in(size: int, purpose: str, numbers: Sequence[int]) -> int:
    """A whole number in 0..size-1 that a hash (SHA-256) of the purpose and the numbers points to."""
    text = f"{purpose} {' '.join(map(str, numbers))}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big") % size


def for_torch(seed: int) -> int:
    """The seed of a training's torch generators: its own where they take it whole, else 32 bits derived from it.

    Torch's Mersenne Twister on a CPU drops all bits beyond 32: a seed and that seed plus 2^32 would be one training.
    """
    return seed if seed < LIBRARY_SEEDS else derived(seed, "training")


def manual_seed(seed: int) -> None:
    """Seed torch's own generators as ``torch.manual_seed`` does: the CPU's, and those of CUDA once it is in use.

    ``torch.manual_seed`` formats the whole stack for each kind of device that may come into use later, at every call:
    on a machine without them that is most of its time, and of a small model's step a few per cent.
    """
    import torch

    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
