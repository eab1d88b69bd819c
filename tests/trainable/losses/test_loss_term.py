from __future__ import annotations

import numpy as np


def test_the_nats_of_each_token_are_those_of_its_targets_probability(make_outputs):
    outputs = make_outputs()
    z = outputs.logits.detach().numpy().reshape(10, 7)
    targets = outputs.targets.numpy().reshape(10)
    expected = np.log(np.exp(z).sum(1)) - z[np.arange(10), targets]
    np.testing.assert_allclose(outputs.per_token().detach().numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(outputs.cross_entropy.item(), expected.mean(), rtol=1e-12)
