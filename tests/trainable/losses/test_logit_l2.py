from __future__ import annotations

import pytest
import torch

from trainable.losses.logit_l2 import LogitL2
from trainable.losses.loss_term import Outputs


def test_it_is_the_mean_square_over_tokens_and_vocabulary():
    logits = torch.tensor([[[1.0, -2.0], [0.0, 3.0]]])
    targets = torch.zeros(1, 2, dtype=torch.long)
    outputs = Outputs(torch.nn.Module(), torch.zeros(1, 2, 3), logits, targets, torch.zeros(()))
    assert LogitL2()(outputs).item() == pytest.approx((1 + 4 + 0 + 9) / 4)
