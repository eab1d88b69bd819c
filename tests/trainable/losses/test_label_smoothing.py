from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from trainable.losses.label_smoothing import LabelSmoothing
from trainable.losses.loss_term import Outputs


@pytest.fixture
def outputs() -> Outputs:
    logits, targets = torch.randn(2, 5, 7, dtype=torch.float64), torch.randint(7, (2, 5))
    cross_entropy = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    return Outputs(torch.nn.Module(), torch.zeros(2, 5, 3), logits, targets, cross_entropy)


@pytest.mark.parametrize("weight", [0.0, 0.1, 0.9])
def test_the_sum_is_torchs_smoothed_cross_entropy(weight, outputs):
    ours = outputs.cross_entropy + weight * LabelSmoothing(weight=weight)(outputs)
    theirs = F.cross_entropy(outputs.logits.flatten(0, 1), outputs.targets.flatten(), label_smoothing=weight)
    torch.testing.assert_close(ours, theirs)


def test_all_of_the_probability_cannot_be_smoothed_away():
    for weight in (1.0, -0.1):
        with pytest.raises(ValueError, match=r"LabelSmoothing.weight is .* but must be in \[0, 1\)"):
            LabelSmoothing(weight=weight)
