from __future__ import annotations

import math

import pytest
import torch

from trainable.losses.loss_term import Outputs
from trainable.losses.z_loss import ZLoss


def outputs(logits: torch.Tensor) -> Outputs:
    return Outputs(
        torch.nn.Module(), torch.zeros(1, 2, 3), logits, torch.zeros(1, 2, dtype=torch.long), torch.zeros(())
    )


def test_it_is_the_mean_square_of_the_log_normaliser():
    logits = torch.tensor([[[0.0, 0.0, 0.0, 0.0], [math.log(1), math.log(2), math.log(3), math.log(4)]]])
    assert ZLoss()(outputs(logits)).item() == pytest.approx((math.log(4) ** 2 + math.log(10) ** 2) / 2)


def test_it_vanishes_where_the_normaliser_is_one():
    assert ZLoss()(outputs(torch.randn(1, 2, 9).log_softmax(-1))).item() == pytest.approx(0, abs=1e-10)


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match=r"ZLoss.weight is -1.0 but must be 0 or more"):
        ZLoss(weight=-1.0)
