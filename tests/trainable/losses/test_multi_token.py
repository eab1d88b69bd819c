from __future__ import annotations

import numpy as np
import pytest

from trainable.losses.multi_token import MultiToken


def test_it_is_the_cross_entropy_to_the_token_after_next(make_outputs):
    outputs = make_outputs()
    z, targets = outputs.logits.detach().numpy(), outputs.targets.numpy()
    nats = []
    for row in range(2):
        for place in range(5):
            wanted = targets[row, place + 1] if place < 4 else targets[row, 4]
            nats.append(np.log(np.exp(z[row, place]).sum()) - z[row, place, wanted])
    assert MultiToken()(outputs).item() == pytest.approx(np.mean(nats), rel=1e-12)
