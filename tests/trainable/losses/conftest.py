"""What a forward pass leaves, made up in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from trainable.losses.loss_term import Outputs


@pytest.fixture
def make_outputs() -> Callable[..., Outputs]:
    """Outputs (2, 5) over 7 words; ``scale`` makes the predictions sure of themselves."""

    def make(scale: float = 1.0, network: Any = None, **changes: Any) -> Outputs:
        logits = (scale * torch.randn(2, 5, 7, dtype=torch.float64)).requires_grad_()
        targets = torch.randint(7, (2, 5))
        cross_entropy = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        return Outputs(network or torch.nn.Module(), torch.zeros(2, 5, 3), logits, targets, cross_entropy, **changes)

    return make
